"""Diagnoses of servers that differ in everything: each line is right, and the report makes the same server again."""

import attrs
import httpx
import pytest

from fusedesk_async import FuseDesk
from fusedesk_async.diagnosis import diagnose
from fusedesk_async.sandbox import FixedHour, Sandbox, SandboxProfile

pytestmark = pytest.mark.anyio

SERVERS = {
    "bare orders only, small pages that are cut": SandboxProfile(
        orders=("caseid",), largest_limit=100, over_limit="cut", limit_zero="none", no_matches="false"
    ),
    "no order at all, small pages that are refused": SandboxProfile(
        orders=(), largest_limit=250, over_limit="refused", limit_zero="default", no_matches="null"
    ),
    "tiny pages": SandboxProfile(largest_limit=50, over_limit="refused", offset_past_end="error", no_matches="empty"),
    "descending ids": SandboxProfile(
        orders=("caseid asc", "caseid desc"), default_order="caseid desc", no_matches="text", limit_zero="all"
    ),
    "a 404 for nothing": SandboxProfile(no_matches="404", default_order="date_firstresponse desc", over_limit="cut"),
    "an error for nothing": SandboxProfile(no_matches="error", default_order="caseid asc", offset_past_end="nothing"),
    "the last page over and over": SandboxProfile(offset_past_end="last page", default_order="date_updated asc"),
    "ids by one name, numbers as text": SandboxProfile(
        case_id_names=("id",), case_number_names=("casenum",), numbers_as_text=True, missing_dates=("null",)
    ),
    "other names, MySQL's dates": SandboxProfile(
        case_id_names=("caseid",),
        case_number_names=("case_number",),
        department_names=("depid",),
        numbers_as_text=False,
        missing_dates=("zero",),
        extra_members={"colour": "text", "weight": "number", "flags": "list", "more": "object", "is_vip": "boolean"},
    ),
    "all names, nothing where there is no date": SandboxProfile(
        case_number_names=("casenum", "casenumber", "case_number"),
        department_names=("departmentid", "depid"),
        missing_dates=("absent",),
    ),
    "dates of another zone, bounds the other way round": SandboxProfile(
        zone="+05:30", after_inclusive=False, before_inclusive=True, history_names=("notes", "emails")
    ),
    "bounds that both include": SandboxProfile(
        zone="-08:00", after_inclusive=True, before_inclusive=True, history_names=("case_history",)
    ),
    "numbers in paths, a header of calls used": SandboxProfile(
        case_numbers_in_paths=True, usage_header="X-FuseDesk-Usage-Count", usage_counts="used", call_cost=2
    ),
    "headers of another kind": SandboxProfile(
        limit_header="X-RateLimit-Limit", usage_header="X-RateLimit-Remaining", usage_counts="left", call_cost=3
    ),
    "no headers": SandboxProfile(limit_header="", usage_header="", trailing_slash="404", content_type="text/html"),
    "compressed, with redirects": SandboxProfile(
        compression="gzip", trailing_slash="redirect", content_type="text/plain", scopes=("cases", "departments")
    ),
    "slow, with a clock of its own": SandboxProfile(latency=0.25, clock_skew=90.0, content_type=""),
    "what writes change": SandboxProfile(keeps_date_opened=False, text_changes=("trimmed",), tags_twice=False),
    "notes that update nothing": SandboxProfile(notes_update=False, text_changes=("trimmed", "cut")),
    "escaped and cut": SandboxProfile(keeps_date_opened=True, text_changes=("escaped", "cut"), notes_update=True),
}
WRITTEN_TO = {"what writes change", "notes that update nothing", "escaped and cut"}
IN_WORDS = {"limit_header", "usage_header"}
"""Names that are compared without regard to capitals."""


def told(profile):
    """What a profile says that was chosen, as a report has it."""
    chosen = {name: value for name, value in attrs.asdict(profile).items() if value is not None}
    return {
        name: list(value) if isinstance(value, tuple) else value.lower() if name in IN_WORDS else value
        for name, value in chosen.items()
    }


async def diagnosed(sandbox, clock, **options):
    async with FuseDesk(
        "acme", api_key=sandbox.api_key, transport=httpx.ASGITransport(sandbox.app), clock=clock
    ) as desk:
        return await diagnose(desk, **options)


@pytest.mark.parametrize("name", SERVERS)
async def test_each_line_is_right(name, clock):
    profile = SERVERS[name]
    writes = name in WRITTEN_TO
    sandbox = Sandbox(1_200, limit=FixedHour(1_800), clock=clock, profile=profile)
    write_in = next(iter(sandbox.state.departments)) if writes else None
    diagnosis = await diagnosed(sandbox, clock, write_in=write_in)
    found = {each.name: each.value for each in diagnosis.findings}
    expected = told(profile)
    assert {name: found[name] for name in expected} == expected
    assert writes or diagnosis.calls == len(sandbox.received) <= 25
    assert writes or {each.method for each in sandbox.received} == {"GET"}


@pytest.mark.parametrize("name", SERVERS)
async def test_what_was_not_chosen_is_as_assumed(name, clock):
    profile = SERVERS[name]
    sandbox = Sandbox(1_200, limit=FixedHour(1_800), clock=clock, profile=profile)
    diagnosis = await diagnosed(sandbox, clock)
    differs = {each.name for each in diagnosis.findings if each.verdict == "differs"}
    assert differs <= told(profile).keys() | {"case_members"}


@pytest.mark.parametrize("name", SERVERS)
async def test_a_report_makes_the_same_server_again(name, clock):
    first = await diagnosed(Sandbox(1_200, limit=FixedHour(1_800), clock=clock, profile=SERVERS[name]), clock)
    again = SandboxProfile.from_report(first.to_report())
    second = await diagnosed(Sandbox(1_200, limit=FixedHour(1_800), clock=clock, profile=again), clock)
    assert lines(second) == lines(first)
    assert second.profile == first.profile


def lines(diagnosis):
    """What was found, but for times, and for which of a mix of markers stands in which member."""
    varies = {"latency", "case_members"}
    return {each.name: (each.verdict, each.value) for each in diagnosis.findings if each.name not in varies}
