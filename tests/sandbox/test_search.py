"""Searches: filters, orders, pages."""

from random import Random
from typing import Any

import pytest

from fusedesk_async.sandbox import Sandbox, VirtualClock
from fusedesk_async.sandbox._calendar import DATA_ENDS, MISSING
from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._filters import read_query
from fusedesk_async.sandbox._query import Among, Query, Within, read_order
from fusedesk_async.sandbox._refusals import Refused

BY_ID = (("caseid", False),)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(400, clock=VirtualClock())


def find(sandbox: Sandbox, **query: str | list[str]) -> list[int]:
    call = Call({}, {**query}, {}, DATA_ENDS)
    return [*sandbox.state.searcher.find(read_query(sandbox.state, call))]


def matching(sandbox: Sandbox, name: str, *wanted: object) -> set[int]:
    return {case for case in sandbox.state.cases.ids() if sandbox.state.cases.value(case, name) in wanted}


def test_each_filter_finds_what_its_member_says(sandbox: Sandbox) -> None:
    state = sandbox.state
    assert {*find(sandbox)} == {*find(sandbox, status="")} == {*find(sandbox, status="all")} == {*range(1, 401)}
    assert {*find(sandbox, status="active")} == matching(sandbox, "status", "new", "open")
    assert {*find(sandbox, status="closed")} == matching(sandbox, "status", "closed")
    assert {*find(sandbox, repid="11")} == matching(sandbox, "repid", 11) != set()
    assert {*find(sandbox, depid="272")} == matching(sandbox, "departmentid", 272) != set()
    assert {*find(sandbox, companyid="701")} == matching(sandbox, "companyid", 701) != set()
    assert {*find(sandbox, contactid="303")} == matching(sandbox, "contactid", 303)
    assert {*find(sandbox, contactid=["303", "307"])} == matching(sandbox, "contactid", 303, 307) != set()
    tagged = {case for case in state.cases.ids() if 7 in state.cases.value(case, "tags")}
    assert {*find(sandbox, casetag="7")} == tagged != set()
    assert find(sandbox, casetag="7", status="new") == [case for case in find(sandbox, status="new") if case in tagged]


def test_contacts_are_found_by_mail_address_and_uuid(sandbox: Sandbox) -> None:
    contact = next(each for each in sandbox.state.contacts if find(sandbox, contactid=str(each.crm_id)))
    same = sandbox.state.contacts.with_email(contact.email)
    assert {*find(sandbox, email=contact.email.upper())} == matching(sandbox, "contactid", *same)
    assert {*find(sandbox, contactUuid=contact.uuid)} == matching(sandbox, "contactid", contact.crm_id)
    assert find(sandbox, email="nobody@mail.example") == find(sandbox, contactUuid="x") == []


def test_words_are_found(sandbox: Sandbox) -> None:
    name = sandbox.state.reps[20].name
    assert {*find(sandbox, createdByRep="20")} == matching(sandbox, "openedby", name) != set()
    assert find(sandbox, createdByRep="1") == []
    for case in find(sandbox, subject="INVOICE"):
        assert "invoice" in sandbox.state.cases.value(case, "summary").lower()
    assert find(sandbox, **{"from": "@MAIL.example"})
    assert find(sandbox, subject="no such words") == []


def test_date_filters_leave_out_cases_without_the_date(sandbox: Sandbox) -> None:
    closed = sandbox.state.cases.column("date_closed")
    found = find(sandbox, date_closed='{"before":"2030-01-01"}')
    assert {*found} == {case for case in range(1, 401) if closed(case) != MISSING}
    day = find(sandbox, date_opened="today")
    assert day
    assert all(sandbox.state.cases.value(case, "date_opened") > DATA_ENDS - 86_400 for case in day)
    assert {*find(sandbox, date_opened='{"after":"-30 days"}')} > {*day}


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"repid": "x"},
        {"repid": ["1"]},
        {"depid": "1.5"},
        {"contactid": ["a"]},
        {"companyid": "9" * 30},
        {"casetag": "billing"},
        {"createdByRep": "Marta"},
        {"date_opened": '{"after:"2024-03-01"}'},
        {"date_closed": "soon"},
        {"orderby": "colour"},
        {"orderby": "caseid up"},
        {"orderby": "caseid,,status"},
        {"email": ["a", "b"]},
    ],
)
def test_what_cannot_be_read_is_refused(sandbox: Sandbox, query: dict[str, str | list[str]]) -> None:
    with pytest.raises(Refused) as refused:
        find(sandbox, **query)
    assert refused.value.status == 405


def test_orders_are_read_as_the_plugin_writes_them() -> None:
    assert read_order(None) == (("date_updated", True),)
    assert read_order("date_lastresponse desc, date_opened ASC,caseid") == (
        ("date_lastresponse", True),
        ("date_opened", False),
        ("caseid", False),
    )
    assert read_order("date_resolved, date_created") == (("date_closed", False), ("date_opened", False))


@pytest.mark.parametrize("order", ["status desc, contactid", "date_closed", "date_updated desc", "caseid desc"])
def test_cases_come_in_the_order_asked_for_and_ties_by_id(sandbox: Sandbox, order: str) -> None:
    cases = sandbox.state.cases

    def key(case: int) -> tuple[int, ...]:
        found: list[int] = []
        for name, descending in read_order(order):
            value: Any = case if name == "caseid" else cases.value(case, name)
            number: int = {"new": 2, "open": 3, "closed": 1}.get(value, value) or -1
            found.append(-number if descending else number)
        return (*found, case)

    assert find(sandbox, orderby=order) == sorted(cases.ids(), key=key)


@pytest.mark.parametrize("query", [Query(), Query((Among("status", frozenset({"new", "open"})),), BY_ID)])
def test_a_kept_answer_is_brought_up_to_date(sandbox: Sandbox, query: Query) -> None:
    state, random = sandbox.state, Random(4)
    actions = (sandbox.open_cases, sandbox.close_cases, sandbox.reopen_cases, sandbox.delete_cases, sandbox.retag_cases)
    for _ in range(80):
        random.choice(actions)(random.randint(0, 4))
        wanted = query.conditions[0].test() if query.conditions else lambda _: True
        expected = [case for case in state.cases.ids() if wanted(state.cases.value(case, "status"))]
        assert [*state.searcher.find(query)] == expected


def test_an_answer_given_out_does_not_change_under_its_reader(sandbox: Sandbox) -> None:
    before = sandbox.state.searcher.find(Query())
    sandbox.delete_cases(ids=[1])
    assert before[0] == 1
    assert sandbox.state.searcher.find(Query())[0] == 2


def test_turning_pages_asks_the_cases_once(sandbox: Sandbox) -> None:
    query = Query((Among("status", frozenset({"closed"})),), (("date_updated", True),))
    first = sandbox.state.searcher.find(query)
    assert sandbox.state.searcher.find(query) is first
    for day in range(20):
        sandbox.state.searcher.find(Query((Within("date_opened", day, None),)))
    assert sandbox.state.searcher.find(query) is not first
    sandbox.retag_cases()
    assert sandbox.state.searcher.find(query) != []
