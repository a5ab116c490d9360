"""Contacts, emails, chats, webhooks, session: what is refused, what comes of it, and answers of other shapes."""

from uuid import UUID

import pytest

from fusedesk_async import (
    ChatDetail,
    ConfigurationError,
    EmailMessage,
    NewContact,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    asc,
)
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda desk: desk.contacts.search(""), "text must be a text"),
        (lambda desk: desk.contacts.get("a/b"), "a contact id is a number, a UUID or a text without a slash"),
        (lambda desk: desk.contacts.update(305), "a contact without any field"),
        (lambda desk: desk.contacts.update(305, phone_1=5), "phone_1 is a text"),
        (lambda desk: desk.emails.get(".."), "an email id is"),
        (lambda desk: desk.chats.get(None), "a chat id is"),
        (lambda desk: desk.chats.update("c201"), "nothing to change: give at least one of title"),
        (lambda desk: desk.webhooks.create("", object_type="case", action="closed"), "url must be a text"),
        (lambda desk: desk.webhooks.create("u", object_type="case", action=" "), "action must be a text"),
        (lambda desk: desk.webhooks.delete(""), "a webhook id is"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_it_is_sent(desk, sandbox, act, reason):
    with pytest.raises(ConfigurationError, match=reason):
        await act(desk)
    assert not sandbox.received


def test_a_contact_has_at_least_one_field_and_no_other_than_it_has():
    with pytest.raises(ConfigurationError, match="give at least one"):
        NewContact()
    with pytest.raises(TypeError, match="nickname"):
        NewContact(nickname="Jo")
    assert NewContact(company="").company == ""


@pytest.mark.parametrize("arguments", [{"order_by": []}, {"order_by": "a b c"}, {"page_size": 0}, {"page_size": 501}])
async def test_a_search_of_emails_is_refused_when_it_is_made(desk, arguments):
    with pytest.raises(ConfigurationError):
        desk.emails.unassigned(**arguments)


async def test_a_contact_is_made_changed_and_found(desk):
    created = await desk.contacts.create(NewContact(first_name="Zaphod", billing_city="Betelgeuse"))
    contact = await desk.contacts.get(created.id)
    assert await desk.contacts.get(UUID(created.id)) == contact == await desk.contacts.get(contact.crm_id)
    assert (contact.first_name, contact.billing_city, contact.last_name) == ("Zaphod", "Betelgeuse", "")
    await desk.contacts.update(created.id, last_name="Beeblebrox", billing_city="")
    (found,) = await desk.contacts.search("Zaphod Beeblebrox")
    assert (found.id, found.billing_city) == (created.id, "")
    await desk.cases.link_contact(3, contact_uuid=found.id)
    assert (await desk.cases.get(3)).contact_id == found.crm_id


async def test_unassigned_emails_come_page_by_page(desk, sandbox):
    every = await desk.emails.unassigned().collect()
    assert len(every) == len({email.id for email in every}) == len(sandbox.state.mails)
    assert len(sandbox.received) <= 3, "until the server has sent a longer page, it is looked whether there is more"
    paged = await desk.emails.unassigned(page_size=10).collect()
    assert [email.id for email in paged] == [email.id for email in every]
    oldest = await desk.emails.unassigned(order_by=asc("date_received")).first()
    assert oldest == every[-1]
    assert sandbox.received[-1].query == [("orderby", "date_recvd asc"), ("limit", "1"), ("offset", "0")]


async def test_emails_without_an_id_are_told_apart_by_what_they_are(desk, sandbox):
    sandbox.fault("emails", nth=2, times=2, body=[])
    sandbox.fault("emails", body=[{"subject": "a"}, {"subject": "b"}, {"subject": "a"}, {"emailid": 7}])
    found = await desk.emails.unassigned().collect()
    assert found == [EmailMessage(subject="a"), EmailMessage(subject="b"), EmailMessage(id="7")]


async def test_a_closed_chat_is_a_note_in_its_case(desk):
    chat = next(chat for chat in await desk.chats.all() if chat.case_id)
    detail = await desk.chats.get(chat.id)
    await desk.chats.close(chat.id)
    note = (await desk.cases.get(chat.case_id)).history[-1]
    assert [message["message"] in note.note for message in detail.messages] == [True] * len(detail.messages)
    assert (await desk.chats.get(chat.id)).note_id == note.id
    assert chat.id not in {each.id for each in await desk.chats.all()}


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        (b'{"id": 1}', []),
        (b'{"id": 1, "messages": null, "history": [{"a": 1}, 7]}', [{"a": 1}]),
        (b'{"id": 1, "messages": [], "history": [{"a": 1}]}', []),
        (b'{"id": 1, "messageHistory": [{"b": 2}]}', [{"b": 2}]),
    ],
)
def test_messages_of_a_chat_are_found_under_likely_names(source, messages):
    assert ChatDetail(id="1", source=source).messages == messages


async def test_what_a_page_says_of_fusedesk_and_what_the_server_counts(desk, sandbox):
    assert (await desk.session.powered_by()).plan == "sandbox"
    assert (await desk.session.usage()).raw == {"limit": None, "used": None, "remaining": None}
    sandbox.fault("usage", times=2, body=[7])
    with pytest.raises(OutcomeUnknownError):
        await desk.session.usage()


async def test_gone_is_gone(desk):
    for act in (desk.emails.get, desk.chats.get, desk.webhooks.delete, desk.contacts.get):
        with pytest.raises(NotFoundError):
            await act("nobody")


class TestScopes:
    """A key without the permission is told so, by every resource."""

    @pytest.fixture
    def sandbox(self):
        return Sandbox(5, keys={"poor": {"cases_create"}})

    @pytest.mark.parametrize(
        "act",
        [
            lambda desk: desk.case_tags.all(),
            lambda desk: desk.departments.active(),
            lambda desk: desk.reps.all(),
            lambda desk: desk.contacts.search("a"),
            lambda desk: desk.emails.unassigned().collect(),
            lambda desk: desk.chats.all(),
            lambda desk: desk.webhooks.all(),
            lambda desk: desk.integrations.all(),
            lambda desk: desk.cases.snooze(3, "tomorrow"),
            lambda desk: desk.cases.feedback.get(3),
        ],
    )
    async def test_permission_is_denied(self, desk, act):
        with pytest.raises(PermissionDeniedError):
            await act(desk)
