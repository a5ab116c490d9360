"""The made-up data: the same for the same seed, and shaped as FuseDesk's."""

import re
from datetime import datetime

import pytest

from fusedesk_async.sandbox import Sandbox
from fusedesk_async.sandbox._calendar import DATA_ENDS, MISSING
from fusedesk_async.sandbox._render import render_case, render_detail
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._texts import case_number


@pytest.fixture(scope="module")
def state() -> State:
    return State(1, 3000)


def test_the_same_seed_tells_the_same_story(state: State) -> None:
    again, other = State(1, 3000), State(2, 3000)
    for case in (1, 12, 1500, 3000):
        assert render_detail(again, case) == render_detail(state, case)
    assert [other.cases.values(case) for case in range(1, 9)] != [state.cases.values(case) for case in range(1, 9)]


def test_reading_a_column_and_reading_a_case_agree(state: State) -> None:
    for case in (9, 12, 900, 2997):
        values = state.cases.values(case)
        assert values == {name: state.cases.value(case, name) for name in values}


def test_case_numbers_are_unique_and_look_like_the_plugins_sample(state: State) -> None:
    numbers = {case_number(case) for case in range(20_000)}
    assert len(numbers) == 20_000
    assert all(re.fullmatch(r"[A-Z]{4}[0-9]{4}", number) for number in numbers)


def test_dates_follow_one_another_and_match_the_status(state: State) -> None:
    for case in state.cases.ids():
        values = state.cases.values(case)
        opened, first, last = values["date_opened"], values["date_firstresponse"], values["date_lastresponse"]
        assert opened <= values["date_updated"] <= DATA_ENDS
        assert (first == MISSING) == (values["status"] == "new")
        assert first == MISSING or opened <= first <= last
        assert (values["date_closed"] != MISSING) == (values["status"] == "closed")


def test_ids_grow_with_the_date_opened(state: State) -> None:
    opened = list(map(state.cases.column("date_opened"), state.cases.ids()))
    assert opened == sorted(opened)


def test_all_kinds_of_cases_occur(state: State) -> None:
    cases = [render_case(state, case) for case in state.cases.ids()]
    assert {case["status"] for case in cases} == {"new", "open", "closed"}
    assert {type(case["rating"]) for case in cases} == {int, str, bool, type(None)}
    assert {type(case["contactid"]) for case in cases} == {int, type(None)}
    assert {type(case["date_closed"]) for case in cases} == {str, bool, type(None)}
    assert "" in {case["date_closed"] for case in cases}
    assert {type(case["date_rated"]) for case in cases} == {str, bool}
    assert "" in {case["details"] for case in cases}
    assert any("\t" in case["details"] for case in cases)
    assert any("ü" in case["details"] for case in cases)
    assert any("😬" in case["details"] for case in cases)
    lengths = sorted(len(case["details"]) for case in cases)
    assert 250 < lengths[len(lengths) // 2] < 700


def test_a_case_has_every_member_of_the_contract(state: State) -> None:
    case = render_case(state, 1)
    assert set(case) == {
        "caseid", "id", "casenum", "casenumber", "contactid", "contactUuid", "companyid", "repid", "departmentid",
        "summary", "details", "openedby", "status", "date_opened", "date_assigned", "date_firstresponse",
        "date_lastresponse", "date_updated", "date_closed", "date_rated", "date_requestedfeedback", "rating",
        "feedback", "tags", "isArchived",
    }  # fmt: skip
    assert case["caseid"] == case["id"] == 1
    assert case["casenum"] == case["casenumber"]
    assert datetime.fromisoformat(case["date_opened"]).tzinfo


def test_histories_tell_what_the_dates_say(state: State) -> None:
    kinds: set[str] = set()
    for case in (*range(1, 400), *range(2800, 3001)):
        detail = render_detail(state, case)
        history = detail["history"]
        kinds |= {item["type"] for item in history}
        assert history[0].get("date_sent", history[0].get("date_added")) == detail["date_opened"]
        assert len({item["id"] for item in history}) == len(history)
        assert all(isinstance(item["id"], str if item["type"] == "email" else int) for item in history)
        assert (len(history) == 1) == (detail["status"] == "new")
    assert kinds == {"email", "call", "note"}


def test_reps_work_in_the_department_of_their_cases(state: State) -> None:
    for case in state.cases.ids():
        assert state.cases.value(case, "repid") in state.reps_of(state.cases.value(case, "departmentid"))


def test_contacts_are_found_by_each_of_their_names(state: State) -> None:
    for contact in state.contacts:
        assert state.contacts.with_uuid(contact.uuid.upper()) == contact.crm_id
        assert contact.crm_id in state.contacts.with_email(contact.email.upper())
        assert contact.email.isascii()
    assert len({contact.uuid for contact in state.contacts}) == len(state.contacts)
    assert None not in state.contacts
    assert 302 not in state.contacts


def test_a_desk_may_be_empty() -> None:
    sandbox = Sandbox(0)
    assert len(sandbox.state.cases) == 0
    assert sandbox.close_cases() == []
    assert sandbox.open_cases() == [1]
    assert 0 not in sandbox.state.cases
