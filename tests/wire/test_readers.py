"""The shapes a response can have."""

import json
from typing import Any

import pytest

from fusedesk_async._json import JSONText
from fusedesk_async._wire.readers import Records, acknowledgement, anything, many, one, strings
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import Acknowledgement, Case, CaseDetail, OddField

NOTHING = [b"", b"null", b"false", b'""']


def keep(error: UnexpectedResponseError) -> UnexpectedResponseError:
    return error


def refuse(error: UnexpectedResponseError) -> UnexpectedResponseError:
    raise error


@pytest.mark.parametrize(
    ("text", "how"),
    [(b"", "empty"), (b'""', "empty"), (b"null", "null"), (b"false", "false"), (b"[]", "list"), (b" [ ] ", "list")],
)
def test_nothing_is_an_empty_list_and_how_it_was_said_is_kept(text: bytes, how: str) -> None:
    assert many(Case)(JSONText(text), refuse) == Records(nothing=how)
    assert text in NOTHING or how == "list"


@pytest.mark.parametrize("text", [b"{}", b'{"caseid":1}', b"7", b"true", b'"x"', b"[1", b"[" * 100_000])
def test_what_is_no_list_is_no_page(text: bytes) -> None:
    with pytest.raises(UnexpectedResponseError, match="no list of records"):
        many(Case)(JSONText(text), keep)


def test_one_odd_record_in_500_is_reported_and_loses_nothing() -> None:
    cases: list[dict[str, Any]] = [{"caseid": number, "casenum": f"C{number}"} for number in range(1, 501)]
    cases[321]["date_opened"] = "soon"
    cases[322]["caseid"] = "x"
    reported: list[UnexpectedResponseError] = []

    def report(error: UnexpectedResponseError) -> UnexpectedResponseError:
        reported.append(error)
        return UnexpectedResponseError("complete", None, error.path, 7, "text", error.field)

    records = many(Case)(JSONText(json.dumps(cases).encode()), report)
    assert [case.id for case in records.items] == [number for number in range(1, 501) if number != 323]
    assert [(error.path, error.record_id) for error in reported] == [
        ("$[321].date_opened", 322),
        ("$[322].caseid", "x"),
    ]
    assert [error.message for error in records.rejected] == ["complete"], "what the report gives back is kept"
    assert records.odd == records.items[321].odd == (OddField(7, "date_opened", "$[321].date_opened", "text"),)
    assert records.received == 500


def test_a_report_that_raises_ends_the_page() -> None:
    with pytest.raises(UnexpectedResponseError, match=r"expected an object, got 7 at \$\[1\]"):
        many(Case)(JSONText(b'[{"caseid":1},7]'), refuse)
    with pytest.raises(UnexpectedResponseError, match=r"expected a whole number, got 'x' at \$\[1\]\.contactid of"):
        many(Case)(JSONText(b'[{"caseid":1},{"caseid":1,"contactid":"x"}]'), refuse)


@pytest.mark.parametrize("text", [b'{"caseid":5}', b'[{"caseid":5}]', b'[ {"caseid":5} ]'])
def test_one_record_comes_as_an_object_or_in_a_list(text: bytes) -> None:
    assert one(CaseDetail)(JSONText(text), refuse) == CaseDetail(id=5)


@pytest.mark.parametrize(
    ("text", "got"), [*((nothing, "nothing") for nothing in NOTHING), (b"[]", "nothing"), (b"[{},{}]", "2")]
)
def test_one_record_is_neither_none_nor_several(text: bytes, got: str) -> None:
    with pytest.raises(UnexpectedResponseError, match=f"expected one record, got {got}"):
        one(Case)(JSONText(text), keep)


@pytest.mark.parametrize("text", [b"{", b"{}", b"[7]", b"7", b"{}{}", b'{"caseid":"\xff"}', b'{"a":' * 99_999])
def test_one_record_must_be_one(text: bytes) -> None:
    with pytest.raises(UnexpectedResponseError):
        one(Case)(JSONText(text), keep)


def test_texts() -> None:
    assert strings(JSONText(b'["cases", "cases_update", "cases"]'), refuse) == {"cases", "cases_update"}
    assert strings(JSONText(b"[]"), refuse) == frozenset()


@pytest.mark.parametrize(
    "text", [*NOTHING, b"{}", b'["a", 1]', b'"cases"', b"[", b"[" + b"9" * 4200 + b"]", b"[" * 900 + b"]" * 900]
)
def test_what_is_no_list_of_texts(text: bytes) -> None:
    with pytest.raises(UnexpectedResponseError, match=r"expected a list of texts|not JSON"):
        strings(JSONText(text), keep)


@pytest.mark.parametrize(
    ("text", "value"), [(b"", None), (b"null", None), (b"false", False), (b'{"a":[1]}', {"a": [1]})]
)
def test_anything(text: bytes, value: Any) -> None:
    assert anything(JSONText(text), refuse) == value
    assert acknowledgement(JSONText(text), refuse) == Acknowledgement(raw=value)


def test_an_acknowledgement_may_be_plain_text_but_other_answers_may_not() -> None:
    assert acknowledgement(JSONText(b"OK\xff"), refuse).raw == "OK\ufffd"
    with pytest.raises(UnexpectedResponseError, match="not JSON"):
        anything(JSONText(b"OK"), refuse)
