"""Replies, snoozes, feedback, many cases at once: what is refused, what comes of it, what is told when it fails."""

from datetime import UTC, datetime

import pytest

from fusedesk_async import CaseFeedback, ConfigurationError, OutcomeUnknownError, RequestRejectedError
from fusedesk_async._wire.chunking import id_chunks
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NAIVE = datetime(2026, 8, 1)  # noqa: DTZ001 - what is tested
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda desk: desk.cases.reply(3, " "), "body must be a text"),
        (lambda desk: desk.cases.reply(3, "a", cc=["a@x,b@x", "c@x"]), "cc is made of texts without a comma"),
        (lambda desk: desk.cases.reply("3", "a"), "a case id is a whole number"),
        (lambda desk: desk.cases.snooze(3, NAIVE), "no time zone"),
        (lambda desk: desk.cases.snooze(3, ""), "a date is a date"),
        (lambda desk: desk.cases.update_many([], status="closed"), "there is no case to change"),
        (lambda desk: desk.cases.update_many([3]), "nothing to change: give at least one of rep_id"),
        (lambda desk: desk.cases.update_many([3, "4"], status="closed"), "a case id is a whole number"),
        (lambda desk: desk.cases.update_many([3], snooze_until=NAIVE), "no time zone"),
        (lambda desk: desk.cases.merge_irreversibly([3]), "two or more at a time"),
        (lambda desk: desk.cases.feedback.get("3"), "a case id is a whole number"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_it_is_sent(desk, sandbox, act, reason):
    with pytest.raises(ConfigurationError, match=reason):
        await act(desk)
    assert not sandbox.received


async def test_a_reply_is_in_the_history_of_its_case(desk):
    before = await desk.cases.get(3)
    await desk.cases.reply(3, "Done.", to="a@x.example", cc=["b@x.example", "c@x.example"])
    after = await desk.cases.get(3)
    email = after.history[-1]
    assert (email.type, email.to, email.cc, email.body) == ("email", "a@x.example", "b@x.example,c@x.example", "Done.")
    assert len(after.history) == len(before.history) + 1
    assert after.date_last_response == email.date_sent
    assert (await desk.emails.get(email.id)).body == "Done."


async def test_feedback_in_all_its_states(desk):
    await desk.cases.feedback.turn_off(3)
    with pytest.raises(RequestRejectedError, match="Feedback is off"):
        await desk.cases.feedback.request(3)
    await desk.cases.feedback.turn_on(3)
    await desk.cases.feedback.request(3)
    found = await desk.cases.feedback.get(3)
    assert found.date_requested_feedback == (await desk.cases.get(3)).date_requested_feedback is not None
    assert found.raw["ask"] is True


@pytest.mark.parametrize("answer", [b"", b"null", b"false", b'""', b"[]", b"{}", b"[{}]"])
async def test_a_server_that_says_nothing_of_feedback(desk, sandbox, answer):
    sandbox.fault("feedback", body=answer)
    assert await desk.cases.feedback.get(3) == CaseFeedback()


MANY = 1_000


@pytest.fixture
def sandbox():
    return Sandbox(MANY)


async def test_many_cases_go_in_several_requests_and_all_are_changed(desk, sandbox):
    ids = list(range(1, MANY + 1))
    answers = await desk.cases.update_many(ids, tag_id=9, snooze_until=NOON)
    assert len(answers) == len(sandbox.received) == len(list(id_chunks(ids))) > 2
    assert sum(answer.raw["updated"] for answer in answers) == MANY
    assert max(len(str(received.query)) for received in sandbox.received) < 2_000
    assert all(9 in sandbox.state.cases.value(case, "tags") for case in ids)


@pytest.mark.parametrize(
    ("fault", "kind", "doubtful"),
    [
        ({"status": 405}, RequestRejectedError, 0),
        ({"status": 500}, OutcomeUnknownError, 0),
        ({"status": 500, "after": True}, OutcomeUnknownError, 1),
    ],
)
async def test_a_chunk_that_fails_tells_how_many_cases_are_through(desk, sandbox, fault, kind, doubtful):
    ids = list(range(1, MANY + 1))
    sizes = [count for _, count in id_chunks(ids)]
    sandbox.fault("update_many", nth=2, **fault)
    with pytest.raises(kind) as caught:
        await desk.cases.update_many(ids, status="closed")
    assert caught.value.completed == sizes[0]
    assert f"; {sizes[0]} were already processed" in str(caught.value)
    assert len(sandbox.received) == 2, "what failed is not sent again, and nothing after it"
    touched = set(sandbox.state.cases.journal)
    assert touched == set(ids[: sum(sizes[: 1 + doubtful])])
    await desk.cases.update_many(ids[caught.value.completed :], status="closed")
    assert {sandbox.state.cases.value(case, "status") for case in ids} == {"closed"}


async def test_merging_is_sent_once_whatever_happens(desk, sandbox):
    sandbox.fault("update_many", status=500, after=True)
    with pytest.raises(OutcomeUnknownError):
        await desk.cases.merge_irreversibly([3, 5])
    assert len(sandbox.received) == 1
    assert 5 not in sandbox.state.cases
