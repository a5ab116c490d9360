"""Filters and orders of a search as query parameters."""

from datetime import date, datetime
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from fusedesk_async._wire.call import get
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async._wire.search_query import search_query
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import CaseFilters, after, asc, desc, on

EVERY: dict[str, tuple[Any, str, Any]] = {
    "email": ("jo@example.com", "email", "jo@example.com"),
    "contact_id": ([1, 2], "contactid", [1, 2]),
    "contact_uuid": (UUID(int=7), "contactUuid", UUID(int=7)),
    "company_id": (1, "companyid", 1),
    "rep_id": (2, "repid", 2),
    "department_id": (3, "depid", 3),
    "status": ("open", "status", "open"),
    "tag_id": (4, "casetag", 4),
    "created_by_rep": (5, "createdByRep", 5),
    "sender": ("a@x.example", "from", "a@x.example"),
    "subject": ("printer", "subject", "printer"),
    "date_opened": (after("2024-03-01"), "date_opened", after("2024-03-01")),
    "date_assigned": (date(2024, 3, 1), "date_assigned", on("2024-03-01")),
    "date_first_response": ("-30 days", "date_firstresponse", on("-30 days")),
    "date_updated": (on("2024-03-01"), "date_updated", on("2024-03-01")),
    "date_closed": (on("2024-03-01"), "date_closed", on("2024-03-01")),
}


def test_every_filter_has_its_name_in_the_api() -> None:
    assert set(EVERY) | {"department", "rep", "tag"} == set(get_type_hints(CaseFilters))
    query = search_query(None, **{name: value for name, (value, _, _) in EVERY.items()})
    assert query == {**{api: sent for _, api, sent in EVERY.values()}, "orderby": "caseid asc"}


def test_a_search_on_the_wire() -> None:
    query = search_query(desc("date_opened"), contact_id=(1, 2), date_opened=after("2024-03-01"), status=None)  # type: ignore[arg-type] # None is tolerated
    assert encode(get("v1/cases", anything, query)).query == (
        "contactid%5B0%5D=1&contactid%5B1%5D=2&date_opened=%7B%22after%22%3A%222024-03-01%22%7D"
        "&orderby=date_opened%20desc"
    )


@pytest.mark.parametrize(
    ("order_by", "text"),
    [
        (None, "caseid asc"),
        ("caseid", "caseid asc"),
        (asc("id"), "caseid asc"),
        ("date_lastresponse,date_updated", "date_lastresponse asc, date_updated asc"),
        ("date_opened DESC", "date_opened desc"),
        ([desc("date_opened"), "id"], "date_opened desc, caseid asc"),
        (("a desc, b", asc("c")), "a desc, b asc, c asc"),
        ("date_lastresponse desc,date_opened", "date_lastresponse desc, date_opened asc"),
        ([desc("date_first_response"), asc("id")], "date_firstresponse desc, caseid asc"),
        ("department_id", "departmentid asc"),
    ],
)
def test_orders(order_by: Any, text: str) -> None:
    assert search_query(order_by) == {"orderby": text}


@pytest.mark.parametrize("bad", ["", " ", ",", "a,", "a b c", "a sideways", "a;drop", "a=1", "caseid&x", [], ()])
def test_bad_orders_are_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="order_by"):
        search_query(bad)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("date_open", "did you mean date_opened"), ("depid", ""), ("contactid", "did you mean contact_id"), ("zzz", "")],
)
def test_an_unknown_filter_is_refused_with_near_names(name: str, hint: str) -> None:
    with pytest.raises(TypeError, match=f"cases have no filter '{name}'.*{hint}"):
        search_query(None, **{name: 1})  # type: ignore[arg-type] # what is tested


@pytest.mark.parametrize(("name", "empty"), [("contact_id", []), ("contact_id", ()), ("email", ""), ("status", "")])
def test_an_empty_value_is_refused_since_it_would_find_everything(name: str, empty: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is empty"):
        search_query(None, **{name: empty})


@pytest.mark.parametrize("bad", [datetime(2024, 3, 1), "", 7])  # noqa: DTZ001 - what is tested
def test_a_bad_date_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a date is|no time zone"):
        search_query(None, date_opened=bad)
