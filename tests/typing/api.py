"""What users' type checkers see; read by mypy --strict and pyright strict, never run."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, assert_type
from uuid import UUID

from tenacity import stop_after_attempt, stop_before_delay, wait_fixed

from fusedesk_async import (
    Access,
    Acknowledgement,
    Allowance,
    APIError,
    Bookmark,
    CallAnswered,
    CallEnded,
    CallLost,
    CallRetried,
    CallStarted,
    CannotTellError,
    Case,
    CaseDetail,
    CaseFilters,
    CreatedCase,
    Email,
    Event,
    FuseDesk,
    FuseDeskError,
    HistoryItem,
    Limiter,
    Lookup,
    NewCase,
    NewEmail,
    NewNote,
    Note,
    OutcomeUnknownError,
    Page,
    Pages,
    PermissionDeniedError,
    QuotaStoreBack,
    QuotaStoreLost,
    QuotaWait,
    QuotaWaitOver,
    RateLimiter,
    Request,
    RetryPolicy,
    UnexpectedResponseError,
    Walk,
    WalkReport,
    after,
    asc,
    before,
    between,
    desc,
    on,
)
from fusedesk_async.fleet import shared_quota
from fusedesk_async.importing import ImportProgress, ImportReport, ImportRow, import_cases
from fusedesk_async.otel import instrumented


async def clients() -> None:
    desk = FuseDesk(
        "acme",
        api_key="key",
        auth="query",
        timeout=5,
        retry=RetryPolicy(stop=stop_after_attempt(4) | stop_before_delay(120), wait=wait_fixed(1), patience=60),
        limiter=RateLimiter(),
        concurrency=8,
        on_rate_limit="raise",
    )
    FuseDesk("acme", api_key="key", auth="bearer")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    FuseDesk("acme", "key")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    assert_type(FuseDesk.from_env(timeout=5.0, strict=True), FuseDesk)
    async with desk as opened:
        assert_type(opened, FuseDesk)
        assert_type(opened.with_options(priority="bulk", timeout=5), FuseDesk)
        assert_type(opened.allowance, Allowance)
        assert_type(opened.allowance.blocked_until, datetime | None)
        assert_type(await opened.check(), Access)
        assert_type(await opened.check(needs={"cases", "cases_update"}), Access)
        await opened.check({"cases"})  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
        assert_type(await opened.session.permissions(), frozenset[str])
        assert_type(await opened.call("GET", "v2/reps", query={"a": 1}), Any)
        opened.with_options(priority="urgent")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        await opened.call("PATCH", "cases")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def heard(event: Event) -> str:
    match event:
        case CallAnswered(request=request, status=status, seconds=seconds):
            assert_type(request, Request)
            assert_type((status, seconds), tuple[int, float])
            return request.path
        case CallStarted(call=call):
            assert_type(call, int)
        case CallLost(error=error, waited=waited):
            assert_type((error, waited), tuple[FuseDeskError, float])
        case CallEnded(error=failure, cancelled=cancelled):
            assert_type((failure, cancelled), tuple[FuseDeskError | None, bool])
        case CallRetried(error=error, pause=pause):
            assert_type(error, FuseDeskError)
            return f"{pause:.0f}"
        case QuotaWait(reason=reason, until=until, waiting=waiting):
            assert_type(reason, Literal["reserve", "quota", "refused"])
            assert_type((until, waiting), tuple[datetime, int])
            return reason
        case QuotaWaitOver():
            assert_type(event.seconds, float)
        case QuotaStoreLost(error=reason):
            return str(reason)
        case QuotaStoreBack(seconds=seconds):
            assert_type(seconds, float)
    return ""


def only_answers(event: CallAnswered) -> None:
    assert_type(event.status, int)


async def observers(desk: FuseDesk) -> None:
    with desk.observe(heard), desk.observe(print), desk.observe(lambda event: assert_type(event, Event)):
        await desk.check()
    with instrumented(desk), instrumented(desk, tracer_provider=None, meter_provider=None):
        await desk.check()
    instrumented(desk, tracer_provider=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    desk.observe(only_answers)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    RateLimiter(reserve=0.2, assumed_limit=600, usage_header="X-Calls-Left")
    RateLimiter(reserve="0.2")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def searches(desk: FuseDesk, filters: CaseFilters) -> None:
    found = desk.cases.search(
        status="open",
        contact_id=[1, 2],
        contact_uuid=UUID(int=1),
        date_opened=after("2026-01-01"),
        date_closed=between(date(2026, 1, 1), datetime.now(UTC)),
        date_updated=on("yesterday"),
        date_assigned=before(date(2026, 1, 1)),
        order_by=[desc("date_updated"), asc("id"), "status"],
    )
    assert_type(found, Pages[Case])
    assert_type(aiter(found), AsyncIterator[Case])
    assert_type(found.pages(), AsyncIterator[Page[Case]])
    assert_type(await found.first(), Case | None)
    assert_type(await found.collect(max_items=5), list[Case])
    async for page in found.pages():
        assert_type(page.items, tuple[Case, ...])
        assert_type(page.rejected, tuple[UnexpectedResponseError, ...])
    desk.cases.search(**filters)
    desk.cases.search(statsu="open")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    desk.cases.search(rep_id="five")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def walks(desk: FuseDesk, filters: CaseFilters, bookmark: Bookmark) -> None:
    walk = desk.cases.walk(status="all", concurrency=2, page_size=100, after=bookmark, on_unordered="report")
    assert_type(walk, Walk[Case])
    async with walk as opened:
        assert_type(opened, Walk[Case])
        async for case in opened:
            assert_type(case, Case)
        async for page in opened.pages():
            assert_type(page, Page[Case])
    assert_type(walk.report, WalkReport)
    assert_type(walk.report.calls, int)
    assert_type(walk.report.unordered, bool)
    assert_type(walk.bookmark, Bookmark)
    assert_type(Bookmark.parse(str(walk.bookmark)).id, int | None)
    desk.cases.walk(**filters)
    desk.cases.walk(statsu="open")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    desk.cases.walk(order_by="id")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    desk.cases.walk(on_unordered="ignore")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    async with desk.cases.get_many([1, 2], concurrency=2) as lookup:
        assert_type(lookup, Lookup[CaseDetail])
        async for case_id, result in lookup:
            assert_type(case_id, int)
            assert_type(result, CaseDetail | FuseDeskError)
    assert_type(lookup.completed, int)
    async with desk.cases.walk() as source, desk.cases.get_many(source) as lookup:
        assert_type(await anext(lookup), tuple[int, CaseDetail | FuseDeskError])
    desk.cases.get_many(case.id async for case in desk.cases.search())
    desk.cases.get_many(["1"])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]


async def cases(desk: FuseDesk) -> None:
    case = await desk.cases.get(42)
    assert_type(case, CaseDetail)
    assert_type(case.id, int)
    assert_type(case.case_number, str | None)
    assert_type(case.date_opened, datetime | None)
    assert_type(case.tags, tuple[int, ...])
    assert_type(case.raw, dict[str, Any])
    assert_type(case.source, bytes)
    for item in case.history:
        assert_type(item, HistoryItem)
        if isinstance(item, Note):
            assert_type(item.note, str | None)
        elif isinstance(item, Email):
            assert_type(item.sender, str | None)
    case.id = 5  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    note = NewNote(title="a", note="b", type="call", date_added=datetime.now(UTC))
    email = NewEmail(to="a", sender="b", subject="c", body="d")
    new = NewCase(department_id=3, summary="a", details="b", opened_by="c", history=[note, email], tags=[1, "refund"])
    assert_type(await desk.cases.create(new), CreatedCase)
    assert_type(await desk.cases.add_note(42, note, rep_id=5), Acknowledgement)
    assert_type(await desk.cases.tag(42, 7), Acknowledgement)
    assert_type(await desk.cases.untag(42, 7), Acknowledgement)
    assert_type(await desk.cases.transfer(42, rep_id=5, department_id=3), Acknowledgement)
    assert_type(await desk.cases.link_contact(42, contact_uuid="x"), Acknowledgement)
    assert_type(await desk.cases.update(42, summary="a"), Acknowledgement)
    assert_type(await desk.cases.close(42), Acknowledgement)
    assert_type(await desk.cases.reopen(42), Acknowledgement)
    assert_type(await desk.cases.import_history(42, [note, email]), list[Acknowledgement])
    NewNote(title="a", note="b", type="email")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await desk.cases.get("42")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def failures(error: FuseDeskError) -> None:
    assert_type(error.request, Request | None)
    if isinstance(error, PermissionDeniedError):
        assert_type(error.scope, str | None)
        assert_type(error.missing, tuple[str, ...])
    if isinstance(error, APIError):
        assert_type(error.status, int | None)
        assert_type(error.retry_after, float | None)
        assert_type(error.retry_at, datetime | None)


async def outcomes(desk: FuseDesk, case: NewCase, lost: OutcomeUnknownError) -> None:
    assert_type(await desk.cases.find_created(lost), Case | None)
    assert_type(await desk.cases.find_created(lost, exclude=[1], settle=0), Case | None)
    assert_type(await desk.cases.find_created(case, sent_at=datetime.now(UTC)), Case | None)
    assert_type(lost.fields, dict[str, str])
    assert_type(lost.sent_at, datetime | None)
    assert_type(CannotTellError("odd").candidates, tuple[int, ...])

    async def leaving() -> int:
        return 1

    assert_type(await desk.cases.create(case, before_sending=leaving), CreatedCase)
    assert_type(await desk.cases.import_history(1, [], before_sending=leaving), list[Acknowledgement])


async def imports(desk: FuseDesk, rows: AsyncIterator[NewCase]) -> None:
    def show(progress: ImportProgress) -> None:
        assert_type(progress.phase, Literal["sending", "settling"])

    report = await import_cases(desk, rows, journal="journal", rejects=Path("rejects"), on_progress=show)
    assert_type(report, ImportReport)
    assert_type(report.as_dict(), dict[str, Any])
    mixed: list[ImportRow] = [
        {"summary": "S"},
        "{}",
        b"{}",
        *[NewCase(department_id=1, summary="", details="", opened_by="")],
    ]
    await import_cases(desk, mixed, journal=Path("journal"), concurrency=8, settle=5, dry_run=True)


def limiters(brought_along: Limiter) -> None:
    shared = RateLimiter(shared=shared_quota("redis://cache"), reserve=0.2)
    assert_type(shared, RateLimiter)
    FuseDesk("acme", api_key="key", limiter=brought_along)
    FuseDesk("acme", api_key="key", limiter=shared)
    RateLimiter(share="sqlite:///quota.db")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
