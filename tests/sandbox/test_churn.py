"""A desk at work: cases opened, closed, retagged and deleted between calls."""

import pytest

from fusedesk_async.sandbox import Sandbox, VirtualClock
from fusedesk_async.sandbox._calendar import DATA_ENDS, MISSING


@pytest.fixture
def sandbox() -> Sandbox:
    clock = VirtualClock()
    clock.advance(90)
    return Sandbox(50, clock=clock)


def status(sandbox: Sandbox) -> dict[int, str]:
    return {case: sandbox.state.cases.value(case, "status") for case in sandbox.state.cases.ids()}


def test_opened_cases_have_new_ids_and_the_members_asked_for(sandbox: Sandbox) -> None:
    assert sandbox.open_cases(2, status="open", summary="Noted") == [51, 52]
    values = sandbox.state.cases.values(52)
    assert (values["status"], values["summary"]) == ("open", "Noted")
    assert values["date_opened"] == values["date_updated"] == DATA_ENDS + 90
    assert values["repid"] in sandbox.state.reps_of(values["departmentid"])
    assert values["details"] is not None
    assert sandbox.state.history(51) == []
    assert len(sandbox.state.cases) == 52


def test_closing_takes_cases_that_are_not_closed(sandbox: Sandbox) -> None:
    active = {case for case, kind in status(sandbox).items() if kind != "closed"}
    closed = sandbox.close_cases(3)
    assert len(set(closed)) == 3
    assert {*closed} <= active
    for case in closed:
        values = sandbox.state.cases.values(case)
        assert (values["status"], values["date_closed"], values["date_updated"]) == ("closed", *[DATA_ENDS + 90] * 2)
    assert {*sandbox.close_cases(1000)} == active - {*closed}
    assert sandbox.close_cases() == []


def test_reopening_takes_closed_cases(sandbox: Sandbox) -> None:
    [case] = sandbox.reopen_cases()
    assert sandbox.state.cases.value(case, "status") == "open"
    assert sandbox.state.cases.value(case, "date_closed") == MISSING
    assert sandbox.reopen_cases(ids=[case]) == [case]


def test_retagging_changes_one_tag(sandbox: Sandbox) -> None:
    before = {case: sandbox.state.cases.value(case, "tags") for case in sandbox.state.cases.ids()}
    for case in sandbox.retag_cases(20):
        assert len({*before[case]} ^ {*sandbox.state.cases.value(case, "tags")}) == 1


def test_deleted_cases_are_gone(sandbox: Sandbox) -> None:
    sandbox.state.add_history(7, [])
    sandbox.state.cases.change(7, repid=11)
    sandbox.delete_cases(ids=[7, 8])
    assert 7 not in sandbox.state.cases
    assert [*sandbox.state.cases.ids()] == [*range(1, 7), *range(9, 51)]
    assert len(sandbox.state.cases) == 48
    assert 7 not in sandbox.state.notes
    assert len(sandbox.delete_cases(100)) == 48
    assert sandbox.delete_cases() == []
    with pytest.raises(KeyError):
        sandbox.delete_cases(ids=[7])


def test_choices_follow_from_the_seed() -> None:
    first, second, other = (Sandbox(500, seed=seed) for seed in (5, 5, 6))
    assert first.close_cases(10) == second.close_cases(10)
    assert first.retag_cases(10) == second.retag_cases(10) != other.retag_cases(10)


def test_words_and_history_stay_when_rep_and_contact_change(sandbox: Sandbox) -> None:
    state = sandbox.state
    for case in range(1, 51):
        before, history = state.cases.values(case), state.history(case)
        state.change(case, DATA_ENDS, contactid=303, repid=11)
        after = state.cases.values(case)
        assert {name: after[name] for name in ("summary", "details", "openedby")} == {
            name: before[name] for name in ("summary", "details", "openedby")
        }
        assert state.history(case) == history


def test_a_case_without_a_known_contact_or_rep_can_be_opened(sandbox: Sandbox) -> None:
    cases = sandbox.open_cases(12, contactid=None, repid=None)
    assert {sandbox.state.cases.value(case, "openedby") for case in cases} == {"website form"}
