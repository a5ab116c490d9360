"""What type checkers see of replies, snoozes, feedback and many cases at once; see `api.py`."""

from datetime import UTC, datetime
from typing import Any, assert_type

from fusedesk_async import Acknowledgement, CaseFeedback, FuseDesk


async def one(desk: FuseDesk) -> None:
    assert_type(await desk.cases.reply(42, "Done.", cc=["a@x.example"], template_id=4), Acknowledgement)
    assert_type(await desk.cases.snooze(42, datetime.now(UTC)), Acknowledgement)
    await desk.cases.snooze(42)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


async def many(desk: FuseDesk) -> None:
    assert_type(await desk.cases.update_many([1, 2], status="closed", tag_id=7), list[Acknowledgement])
    assert_type(await desk.cases.merge_irreversibly([1, 2]), Acknowledgement)
    await desk.cases.update_many([1, 2], merge=True)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


async def feedback(desk: FuseDesk) -> None:
    found = await desk.cases.feedback.get(42)
    assert_type(found, CaseFeedback)
    assert_type(found.rating, Any)
    assert_type(found.date_rated, datetime | None)
    assert_type(await desk.cases.feedback.turn_on(42), Acknowledgement)
    assert_type(await desk.cases.feedback.turn_off(42), Acknowledgement)
    assert_type(await desk.cases.feedback.request(42), Acknowledgement)
