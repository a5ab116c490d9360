"""The fast path for pages gives what the converter gives, on everything a PHP server may send."""

import json
import os
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import alike_pages, dates, pages

from fusedesk_async import _json
from fusedesk_async._json import JSONText
from fusedesk_async._wire import page_reader, php_values
from fusedesk_async._wire.call import Report
from fusedesk_async._wire.converter import below, structure, within
from fusedesk_async._wire.page_reader import RowReader, read_rows
from fusedesk_async._wire.readers import many
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import Case

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))


def by_the_converter(text: bytes, report: Report) -> tuple[list[Case], list[UnexpectedResponseError]]:
    """The definition: each element by itself."""
    items: list[Case] = []
    rejected: list[UnexpectedResponseError] = []
    for place, source in enumerate(_json.elements(text)):
        try:
            items.append(structure(Case, JSONText(source), below(f"$[{place}]", report)))
        except UnexpectedResponseError as error:
            rejected.append(report(within(error, f"$[{place}]")))
    return items, rejected


class Reported(list[UnexpectedResponseError]):
    """Keeps what is reported."""

    def __call__(self, error: UnexpectedResponseError) -> UnexpectedResponseError:
        self.append(error)
        return error


def everything(case: Case) -> list[tuple[str, str, str]]:
    """All of a case, types and time zones included, which equality does not look at."""
    values = attrs.asdict(case, recurse=False)
    return [(name, type(value).__name__, repr(value)) for name, value in values.items()]


@settings(max_examples=EXAMPLES)
@given(pages())
@example(b'[{"caseid": 1, "unknown": "\\ud800", "rating": 1.10}, {"caseid": 2}, 3, {"id": 4}]')
@example(b'[{"caseid": "x", "caseid": 5, "tags": [1, "2", {"id": 3}]}]')
@example(b'[{"caseid": 1, "casenum": ["x"], "casenumber": "B"}, {"caseid": [1], "id": 8}, {"caseid": null, "id": 9}]')
@example(b'[{"caseid": 1, "summary": "caf\xe9"}, {"caseid": 2, "rating": 1e999}, {"caseid": "\xe9"}]')
@example(b'[{"caseid": 1, "casenum": "A", "date_opened": "soon", "contactid": 1.5, "tags": {"odd": 1}}, {"caseid": 2}]')
def test_fast_path_and_converter_agree_on_everything(text: bytes) -> None:
    assert_as_the_converter(text)


@settings(max_examples=EXAMPLES // 2)
@given(alike_pages())
@example(['{"caseid": ""}', '{"caseid": "", "id": 5}'])
@example(['{"caseid": null, "id": "5"}', '{"id": "x"}', '{"caseid": false, "id": 7}'])
@example(['{"id": 1, "contactid": null}', '{"id": 2, "contactid": 0}', '{"id": 3, "contactid": "0"}', '{"id": 4}'])
@example(['{"id": 1, "contactid": "null"}', '{"id": 2, "contactid": "5.0"}', '{"id": 3, "contactid": "9"}'])
@example(['{"caseid": 1, "tags": ["1"]}', '{"caseid": 2, "tags": ["x"]}', '{"caseid": 3, "tags": true}'])
@example(['{"caseid": 1, "tags": []}', '{"caseid": 2, "tags": ""}', '{"caseid": 3, "tags": true}'])
@example(['{"caseid": 1, "casenumber": "A"}', '{"caseid": 2, "casenum": null, "casenumber": "B"}'])
def test_cases_that_are_alike_are_read_as_one_by_one(cases: list[str]) -> None:
    assert_as_the_converter(f"[{','.join(cases)}]".encode())


def assert_as_the_converter(text: bytes) -> None:
    reported, expected = Reported(), Reported()
    records = many(Case)(JSONText(text), reported)
    items, rejected = by_the_converter(text, expected)
    assert [everything(case) for case in records.items] == [everything(case) for case in items]
    assert list(records.items) == items
    assert [error.args for error in records.rejected] == [error.args for error in rejected]
    assert [error.args for error in reported] == [error.args for error in expected]
    assert records.received == len(items) + len(rejected)
    assert [*records.odd] == [odd for case in items for odd in case.odd]
    assert [(odd.path, odd.field) for odd in records.odd] == [(e.path, e.field) for e in expected if e.field]


@given(pages(), st.integers(2, 40))
@settings(max_examples=EXAMPLES // 6)
def test_many_odd_records_are_read_as_few_are(text: bytes, times: int) -> None:
    elements = _json.elements(text) * times
    reported, expected = Reported(), Reported()
    records = many(Case)(JSONText(b"[" + b",".join(elements) + b"]"), reported)
    items, _ = by_the_converter(b"[" + b",".join(elements) + b"]", expected)
    assert [everything(case) for case in records.items] == [everything(case) for case in items]
    assert [error.args for error in reported] == [error.args for error in expected]


@settings(max_examples=EXAMPLES)
@given(st.lists(dates, min_size=1, max_size=3))
@example(["2024-03-01T10:11:12.1234567Z"])
@example(["2024-03-01 10:11:12+0530", "2024-03-01T24:00:00"])
def test_dates_are_read_alike_whatever_stands_beside_them(texts: list[str]) -> None:
    page = json.dumps([{"caseid": 1, "casenum": "A", "date_opened": text} for text in texts]).encode()
    expected: list[Any] = []
    for text in texts:
        try:
            expected.append(repr(php_values.moment(text)))
        except ValueError:
            expected.append("refused")
    rows = read_rows(Case, _json.elements(page))
    assert [repr(row.date_opened) if isinstance(row, Case) else "refused" for row in rows] == expected


def test_a_page_of_usual_records_is_read_and_each_keeps_its_exact_source() -> None:
    text = (
        b'[ {"caseid": 7, "casenum":"AB12","date_opened":"2026-03-01T10:00:00Z", "date_rated":false, "n": 1.10} ,'
        b'{"caseid":8}]'
    )
    first, second = read_rows(Case, _json.elements(text))
    assert isinstance(first, Case)
    assert isinstance(second, Case)
    assert first == Case(id=7, case_number="AB12", date_opened=datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert first.source.endswith(b'"n": 1.10}')
    assert (second, second.source) == (Case(id=8), b'{"caseid":8}')


def test_records_of_the_fast_path_are_ordinary_frozen_records() -> None:
    text = b'[{"caseid":7,"casenum":"AB12"}]'
    (case,) = read_rows(Case, _json.elements(text))
    assert type(case) is Case
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        case.id = 8  # type: ignore[misc] # what is tested
    assert hash(case) == hash(Case(id=7, case_number="AB12"))
    assert pickle.loads(pickle.dumps(case)) == case
    assert attrs.evolve(case, id=8).id == 8


def test_nothing_gives_nothing() -> None:
    assert read_rows(Case, []) == []


@pytest.mark.parametrize(
    "bad",
    [
        b'{"caseid":"x","casenum":"A"}',
        b'{"casenum":"A"}',
        b"null",
        b'{"caseid":1,"casenum":"A","date_opened":"soon"}',
        b'{"caseid":1,"casenum":"A","summary":"\xe9"}',
        b'{"caseid":1,"casenum":"A","rating":1e999}',
        b'{"caseid":1,"u":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_what_cannot_be_read_comes_back_as_text_in_its_place(bad: bytes) -> None:
    good = b'{"caseid":1,"casenum":"A"}'
    sources = [good, bad, good]
    rows = read_rows(Case, sources)
    assert [type(row) for row in rows] == [Case, bytes, Case]
    assert rows[1] == bad


def test_one_odd_record_leaves_only_itself_to_the_converter() -> None:
    usual = b'{"caseid":1,"casenum":"A","contactid":3,"date_opened":"2026-03-01T10:00:00Z"}'
    for odd in (usual.replace(b"3,", b'"x",'), usual.replace(b"2026-03-01T10:00:00Z", b"soon")):
        sources = [usual] * 250 + [odd] + [usual] * 249
        rows = read_rows(Case, sources)
        assert [place for place, row in enumerate(rows) if isinstance(row, bytes)] == [250]


USUAL: dict[str, Any] = {
    "caseid": 5,
    "id": 5,
    "casenum": "A",
    "casenumber": "A",
    "contactid": 7,
    "tags": [1],
    "date_opened": "2026-03-01T10:00:00Z",
    "isArchived": False,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"caseid": None},
        {"casenum": None},
        {"casenumber": None, "caseid": None},
        {"casenum": None, "casenumber": None},
        {"caseid": "5", "contactid": "7", "tags": ["1", "2"], "isArchived": "0"},
        {"contactid": "", "tags": "", "date_opened": "", "isArchived": ""},
        {"contactid": False, "tags": False, "date_opened": False, "casenum": False},
        {"date_opened": "0000-00-00 00:00:00"},
        {"date_opened": "2026-03-01"},
        {"casenum": 77, "isArchived": 1, "unknown": {"a": [1]}},
        {"tags": [{"id": "1"}], "contactid": 7.0},
    ],
)
@pytest.mark.parametrize("also_usual", [0, 1])
def test_rows_of_any_server_are_read_without_the_converter(changes: dict[str, Any], also_usual: int) -> None:
    members = {name: value for name, value in (USUAL | changes).items() if value is not None}
    bare = {name: value for name, value in members.items() if name in {"caseid", "id", "casenum", "casenumber"}}
    changed = json.dumps(members).encode()
    sources = [changed] * 5 + [json.dumps(USUAL).encode()] * also_usual + [json.dumps(bare).encode(), changed]
    rows = read_rows(Case, sources)
    assert {type(row) for row in rows} == {Case}
    assert rows == [structure(Case, JSONText(source), Reported()) for source in sources]


def test_what_was_learned_of_other_pages_changes_nothing() -> None:
    reader = RowReader(Case)
    usual, texts = json.dumps(USUAL), json.dumps(USUAL | {"caseid": "5", "contactid": "7"})
    other = '{"id": 5}'
    for page in ([usual], [texts, usual], [usual, texts], [other, texts], [usual, other], ["7", other], ["7"]):
        sources = [text.encode() for text in page]
        rows = reader.read(sources)
        assert [row.id if isinstance(row, Case) else row for row in rows] == [
            b"7" if text == "7" else 5 for text in page
        ]


def test_one_odd_page_does_not_slow_all_that_follow() -> None:
    reader = RowReader(Case)
    usual, odd = json.dumps(USUAL).encode(), json.dumps(USUAL | {"contactid": "x"}).encode()
    narrow = [*reader.read([usual]), reader._recent]
    reader.read([usual, odd])
    assert reader._recent != narrow[-1], "the shape has widened"
    for _ in range(page_reader.PAGES_REMEMBERED):
        reader.read([usual])
    assert reader._recent == narrow[-1]


def test_a_server_of_endless_shapes_fills_no_memory() -> None:
    reader = RowReader(Case)
    fields = ["contactid", "companyid", "repid", "departmentid", "isArchived", "casenum"]
    for number in range(64):
        reader._recent = ()
        values = {name: 1.0 for position, name in enumerate(fields) if number >> position & 1}
        (row,) = reader.read([json.dumps(USUAL | values).encode()])
        assert isinstance(row, Case) is (not values.get("isArchived"))
        assert len(reader._readings) <= page_reader.MOST_SHAPES


def test_what_fits_no_group_of_rows_is_left_to_the_converter() -> None:
    many_names = [b'{"caseid":1}', b'{"id":1}', b'{"caseid":1,"casenum":"A"}', b'{"id":1,"casenum":"A"}']
    rows = read_rows(Case, [*many_names, b'{"id":1,"casenumber":"A"}'] * 2)
    assert [type(row) for row in rows] == [Case, Case, Case, Case, bytes] * 2


def test_rows_beyond_those_looked_at_are_no_less_right() -> None:
    odd = json.dumps(USUAL | {"contactid": {"a": 1}}).encode()
    broken = b'{"caseid":1,"casenum":"\xe9"}'
    sources = [json.dumps(USUAL).encode(), *[broken] * (page_reader.ROWS_LOOKED_AT + 2), odd] * 2
    rows = read_rows(Case, sources)
    assert [isinstance(row, Case) for row in rows] == [source not in (broken, odd) for source in sources]


class Sealed(Case):
    """Stands for a record that a later attrs lays out otherwise: its class cannot be switched."""

    __slots__ = ()

    @property
    def __class__(self) -> Any:
        return Sealed

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise TypeError("object layout differs")


def test_records_that_cannot_be_filled_are_left_to_the_converter() -> None:
    sources = [json.dumps(USUAL).encode()] * 2
    assert read_rows(Sealed, sources) == sources
