"""Every record that is read: all members, odd values, unknown members, missing members, and the way back."""

import copy
import json
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import SAMPLES, Sample
from strategies import dates, flags, json_values, numbers, odd, tag_lists, texts

from fusedesk_async import Record, UnexpectedResponseError, models
from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import below, structure
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async._wire.readers import every, many

ELSEWHERE = {"Record", "Case", "CaseDetail", "CreatedCase", "Email", "HistoryItem", "Note"}
"""Records that `test_converter.py` and `test_page_reader.py` are about."""


def unchanged(error: UnexpectedResponseError) -> UnexpectedResponseError:
    return error


def read(record: type[Record], value: Any) -> Any:
    return structure(record, JSONText(json.dumps(value).encode()), unchanged)


def named(sample: Sample) -> str:
    return type(sample.record).__name__


def test_every_record_has_a_sample() -> None:
    kinds = {name: getattr(models, name) for name in models.__all__}
    records = {name for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Record)}
    assert records - ELSEWHERE == {named(sample) for sample in SAMPLES}


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_every_member_is_read_under_the_apis_name(sample: Sample) -> None:
    record = read(type(sample.record), sample.wire | {"brandNew": [1]})
    assert record == sample.record
    empty = {field.name for field in attrs.fields(type(record)) if getattr(record, field.name) in (None, ())}
    assert empty == {"odd"}, "the sample leaves members out"
    assert record.raw == sample.wire | {"brandNew": [1]}
    assert record.extra == {"brandNew": [1]}


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_missing_members_and_every_kind_of_nothing_are_none(sample: Sample) -> None:
    kind = type(sample.record)
    least = read(kind, sample.least)
    optional = {field.name for field in attrs.fields(kind) if field.name not in {"source", "odd"}} - {
        field.name for field in attrs.fields(kind) if answer_names(kind, field.name)[0] in sample.least
    }
    assert all(getattr(least, name) in (None, ()) for name in optional)
    for nothing in (None, "", False):
        members = {answer_names(kind, name)[0]: nothing for name in optional}
        record = read(kind, members | sample.least)
        assert all(getattr(record, name) in (None, (), "", False) for name in optional)
        assert read(kind, dict.fromkeys(sample.wire) | sample.least) == least


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_a_record_is_frozen_and_travels(sample: Sample) -> None:
    record = sample.record
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(record, attrs.fields(type(record))[1].name, 1)
    for twin in (copy.deepcopy(record), copy.copy(record), pickle.loads(pickle.dumps(record))):
        assert twin == record
        assert type(twin) is type(record)


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_a_record_needs_only_what_its_class_requires_and_the_rest_is_reported(sample: Sample) -> None:
    heard: list[UnexpectedResponseError] = []

    def report(error: UnexpectedResponseError) -> UnexpectedResponseError:
        heard.append(error)
        return error

    kind = type(sample.record)
    hollow = {name: {"a": 1} for name in sample.wire} | sample.least
    least, whole = every(kind)(JSONText(json.dumps([hollow, sample.wire]).encode()), report)
    assert whole == sample.record
    assert whole.odd == ()
    loose = {field.name for field in attrs.fields(attrs.resolve_types(kind)) if field.type is Any}
    assert attrs.evolve(least, **dict.fromkeys(loose)) == read(kind, sample.least)
    assert least.raw == hollow
    assert [odd.path for odd in least.odd] == [error.path for error in heard]
    assert {odd.field for odd in least.odd} == empty_fields(kind, sample) - loose
    assert {odd.path.partition(".")[0] for odd in least.odd} == {"$[0]"}
    assert {odd.text for odd in least.odd} == {'{"a": 1}'}
    if sample.least:
        broken = [{name: [1] for name in sample.least}, sample.wire]
        assert every(kind)(JSONText(json.dumps(broken).encode()), report) == [sample.record]
        assert heard[-1].field == ""


def empty_fields(kind: type[Record], sample: Sample) -> set[str]:
    fields = {field.name: answer_names(kind, field.name)[0] for field in attrs.fields(kind)}
    return {name for name, member in fields.items() if member in sample.wire and member not in sample.least}


odd_values = st.one_of(numbers, texts, dates, flags, tag_lists, odd, json_values)


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
@settings(max_examples=60)
@given(st.data())
def test_whole_lists_are_read_as_records_one_by_one(sample: Sample, data: st.DataObject) -> None:
    kind, names = type(sample.record), st.sampled_from([*sample.wire, "unknown"])
    values = data.draw(st.lists(st.dictionaries(names, odd_values, max_size=3), min_size=1, max_size=3))
    text = json.dumps([sample.wire | value for value in values]).encode()
    records = many(kind)(JSONText(text), unchanged)
    expected: list[Any] = []
    for number, value in enumerate(values):
        try:
            source = JSONText(json.dumps(sample.wire | value).encode())
            expected.append(structure(kind, source, below(f"$[{number}]", unchanged)))
        except UnexpectedResponseError:
            continue
    assert [attrs.astuple(record)[1:] for record in records.items] == [attrs.astuple(each)[1:] for each in expected]
    assert records.received == len(values)
