"""What type checkers see of contacts, emails, chats, webhooks and integrations; see `api.py`."""

from typing import Any, assert_type
from uuid import UUID

from fusedesk_async import (
    Acknowledgement,
    Chat,
    ChatDetail,
    Contact,
    ContactFields,
    Created,
    EmailMessage,
    FuseDesk,
    Integration,
    NewContact,
    Pages,
    PoweredBy,
    Record,
    Webhook,
    desc,
)


async def contacts(desk: FuseDesk, changes: ContactFields) -> None:
    assert_type(await desk.contacts.search("jo", limit=5, offset=0), list[Contact])
    contact = await desk.contacts.get(UUID(int=1))
    assert_type(contact, Contact)
    assert_type(contact.id, str)
    assert_type(contact.crm_id, int | None)
    assert_type(contact.email_address_2, str | None)
    created = await desk.contacts.create(NewContact(first_name="Jo", phone_1="1"))
    assert_type(created, Created[str])
    assert_type(created.id, str | None)
    assert_type(await desk.contacts.update(contact.id, last_name="Day"), Acknowledgement)
    assert_type(await desk.contacts.update(305, **changes), Acknowledgement)
    await desk.contacts.update(305, name="Jo")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    await desk.contacts.update(305, company=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def emails(desk: FuseDesk) -> None:
    found = desk.emails.unassigned(sender="jo", body_limit=100, order_by=desc("date_received"), page_size=50)
    assert_type(found, Pages[EmailMessage])
    assert_type(await found.first(), EmailMessage | None)
    assert_type((await desk.emails.get("m1")).id, str | None)


async def chats(desk: FuseDesk) -> None:
    assert_type(await desk.chats.all(), list[Chat])
    chat = await desk.chats.get("c1")
    assert_type(chat, ChatDetail)
    assert_type(chat.id, str)
    assert_type(chat.messages, list[dict[str, Any]])
    assert_type(await desk.chats.update("c1", title="a", contact_uuid=UUID(int=1), unseen=0), Acknowledgement)
    assert_type(await desk.chats.close("c1", status="closed"), Acknowledgement)


async def webhooks(desk: FuseDesk) -> None:
    assert_type(await desk.webhooks.all(), list[Webhook])
    assert_type(await desk.webhooks.create("https://x.example", object_type="case", action="closed"), Created[str])
    assert_type(await desk.webhooks.delete("w1"), Acknowledgement)


async def account(desk: FuseDesk) -> None:
    assert_type(await desk.integrations.all(), list[Integration])
    powered_by = await desk.session.powered_by()
    assert_type(powered_by, PoweredBy)
    assert_type(powered_by.footer_link, bool | None)
    usage = await desk.session.usage()
    assert_type(usage, Record)
    assert_type(usage.raw, dict[str, Any])
