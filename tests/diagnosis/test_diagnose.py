"""A diagnosis of a server that is as the library assumes, and what holds for all of them."""

import json

import httpx
import pytest
from clients import client

from fusedesk_async import AuthenticationError, ConfigurationError, FuseDesk, NotSentError, ServerProfile
from fusedesk_async.diagnosis import diagnose, plan
from fusedesk_async.diagnosis._diagnose import MOST_READS, questions
from fusedesk_async.diagnosis._registry import FOUND
from fusedesk_async.diagnosis._scratch import MOST_WRITES
from fusedesk_async.diagnosis._table import QUESTIONS
from fusedesk_async.diagnosis._writes import WRITE_QUESTIONS
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

UNSEEN = {"retry_after", "http_version"}
"""What cannot be seen in process, or if no call is refused."""


async def test_all_that_is_as_assumed_is_known(sandbox, clock, found):
    seen = []
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, on_finding=seen.append)
    verdicts = {name: verdict for name, (verdict, _) in found(diagnosis).items()}
    assert {name for name, verdict in verdicts.items() if verdict == "differs"} == set()
    assert {name for name, verdict in verdicts.items() if verdict == "cannot tell"} <= UNSEEN | {"notes_update"}
    assert sorted(each.name for each in seen) == sorted(verdicts)
    assert list(verdicts) == [name for name in QUESTIONS if name not in WRITE_QUESTIONS]
    assert diagnosis.calls == len(sandbox.received) <= MOST_READS
    assert {each.method for each in sandbox.received} == {"GET"}
    assert diagnosis.profile.order == "caseid asc"
    assert diagnosis.profile.direction == "ascending"
    assert diagnosis.profile.descending
    assert diagnosis.profile.nothing == "list"
    assert diagnosis.profile.page_limit is None


async def test_a_report_is_json_of_one_kind(sandbox, clock):
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    report = diagnosis.to_report()
    assert json.loads(json.dumps(report)) == report
    assert list(report) == ["version", "library", "profile", "findings"]
    assert report["version"] == 1
    assert report["profile"] == diagnosis.profile.to_json()
    assert list(report["findings"]) == [each.name for each in diagnosis.findings]
    assert all(list(each) == ["verdict", "value", "evidence"] for each in report["findings"].values())


async def test_few_cases_leave_much_open(clock, found):
    sandbox = Sandbox(2, clock=clock)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    open_ = {name for name, (verdict, _) in found(diagnosis).items() if verdict == "cannot tell"}
    assert {"orders", "default_order", "default_limit", "largest_limit"} <= open_
    profile = diagnosis.profile
    assert (profile.order, profile.direction, profile.descending, profile.page_limit) == (None,) * 4
    assert profile.nothing == "list"


async def test_the_client_begins_with_what_was_found_out(sandbox, clock):
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
        known = desk.profile
    assert known.order == diagnosis.profile.order == "caseid asc"
    assert known.usage_header == diagnosis.profile.usage_header == "x-fusedesk-usage-remaining"
    assert known.usage_counts == diagnosis.profile.usage_counts == "left"
    assert known.learned_on == diagnosis.profile.learned_on is not None
    assert ServerProfile.from_json(diagnosis.to_report()["profile"]) == diagnosis.profile


async def test_no_case_leaves_more_open(clock, found):
    async with client(Sandbox(0, clock=clock), clock) as desk:
        diagnosis = await diagnose(desk)
    open_ = {name for name, (verdict, _) in found(diagnosis).items() if verdict == "cannot tell"}
    assert {"case_members", "case_id_names", "numbers_as_text", "missing_dates", "extra_members", "zone"} <= open_
    assert {"detail_shape", "history_names", "case_numbers_in_paths", "after_inclusive", "date_filter_works"} <= open_
    assert "detail_shape" in diagnosis.not_asked
    assert found(diagnosis)["no_matches"] == ("known", "list")


async def test_a_wrong_key_ends_it(sandbox, clock):
    async with FuseDesk("acme", api_key="wrong", transport=httpx.ASGITransport(sandbox.app), clock=clock) as desk:
        with pytest.raises(AuthenticationError, match="the server does not know the key"):
            await diagnose(desk)
    assert len(sandbox.received) == 1


async def test_a_server_that_is_not_there_ends_it():
    async with FuseDesk("acme", api_key="key", base_url="http://127.0.0.1:1") as desk:
        with pytest.raises(NotSentError, match="no connection came about"):
            await diagnose(desk)


async def test_a_client_that_is_not_open_is_refused(sandbox, clock):
    with pytest.raises(ConfigurationError, match="open the client first"):
        await diagnose(client(sandbox, clock))


def test_each_question_has_a_function_and_calls_of_the_plan():
    assert FOUND.keys() == QUESTIONS.keys()
    assert [each.name for each in questions(writes=True)] == list(QUESTIONS)
    reads, all_calls = plan(), plan(writes=True)
    assert len(reads) <= MOST_READS
    assert len(all_calls) - len(reads) <= MOST_WRITES

    asked = {name for each in all_calls for name in each.questions}
    assert asked | {name for name, each in FOUND.items() if not each.calls} == QUESTIONS.keys()
    assert {each.method for each in reads} == {"GET"}
    assert not any(name in WRITE_QUESTIONS for each in reads for name in each.questions)
