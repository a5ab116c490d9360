"""Decoding: the bytes of a page of 500 cases to frozen `Case` objects, as a multiple of `orjson.loads` of the bytes.

    uv run --group benchmarks python benchmarks/decode.py

Processor time of this process, best of many interleaved rounds. Bars: 2.0 x on the sandbox's pages, 2.5 x on pages of
servers that send other names and other types, and where one record in 500 is odd.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle
from typing import Annotated, Any, TypeAlias

import attrs
import cattrs
import msgspec
import orjson
from _bench import best_of, first_page, judge, print_table
from cattrs.gen import make_dict_structure_fn, override

from fusedesk_async import Case, UnexpectedResponseError
from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import structure
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async._wire.readers import many
from fusedesk_async.sandbox import Sandbox

Change: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

ROUNDS = 150
BAR, BAR_OF_OTHERS = 2.0, 2.5
NO_BAR = "[] for nothing, which is odd"

DATES = [field.name for field in attrs.fields(attrs.resolve_types(Case)) if field.type == datetime | None]
READ = [field for field in attrs.fields(Case) if field.name not in {"source", "odd"}]
WIRE_NAMES = {field.name: answer_names(Case, field.name)[0] for field in READ}
WIRE_DATES = [WIRE_NAMES[name] for name in DATES]
MAY_BE_ABSENT = ["contactid", "companyid", "repid", "tags", *WIRE_DATES]
PEERS = ("plain cattrs", "pydantic", "msgspec into attrs, nothing mended")


def usual_pages() -> dict[str, bytes]:
    """Pages as the sandbox answers."""
    sandbox = Sandbox(20_000)
    usual = first_page(sandbox)
    open_cases, closed_cases = (first_page(sandbox, status=status) for status in ("open", "closed"))
    return {"all cases": usual, "open cases": open_cases, "closed cases": closed_cases}


def other_pages(usual: bytes) -> dict[str, bytes]:
    """A usual page as other servers may send it: every record changed alike, or one of them."""
    everywhere = {kind: changed(usual, change) for kind, change in OTHER_SERVERS.items()}
    return everywhere | {kind: _changed_one(usual, change) for kind, change in ODD_RECORDS.items()}


def quirks(page: bytes) -> str:
    """What a page holds besides plain values."""
    records = orjson.loads(page)
    found = Counter[str]()
    for record in records:
        values = [record.get(WIRE_NAMES[name], "no member") for name in DATES]
        found.update(f"{orjson.dumps(value).decode()} for a date" for value in values if not value)
        found.update(f"{record[name]!r} for {name}".lower() for name in ("rating", "feedback") if record[name] is False)
        found["null for a number"] += sum(record[name] is None for name in ("contactid", "companyid", "repid"))
        found["empty tags"] += not record["tags"]
    listed = ", ".join(f"{count} x {what}" for what, count in sorted(found.items()) if count)
    return f"{len(records)} records, {len(page):,} bytes, ASCII: {page.isascii()}; {listed}"


def ours(page: bytes) -> tuple[Case, ...]:
    """The library's way."""
    return read_cases(JSONText(page), _keep).items


def peers(page: bytes) -> dict[str, Callable[[], object]]:
    """The other ways. None reads as much: no source kept, no text mended to numbers; cattrs and msgspec as set up here.

    cattrs and pydantic get a hook that turns false and "" into no date; msgspec gets dates as they came.
    """
    peers = {"plain cattrs": _cattrs(page), "msgspec into attrs, nothing mended": _msgspec(page)}
    return peers | ({"pydantic": _pydantic(page)} if find_spec("pydantic") else {})


def _date(value: Any, _: type) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def make_plain_converter() -> cattrs.Converter:
    """A converter for `Case` with a hook for dates and the API's names, and nothing else."""
    converter = cattrs.Converter()
    converter.register_structure_hook(datetime | None, _date)
    renames: dict[str, Any] = {name: override(rename=wire) for name, wire in WIRE_NAMES.items()}
    hook = make_dict_structure_fn(Case, converter, source=override(omit=True), **renames)
    converter.register_structure_hook(Case, hook)
    return converter


def _cattrs(page: bytes) -> Callable[[], object]:
    converter = make_plain_converter()
    return lambda: converter.structure(orjson.loads(page), list[Case])


def _pydantic(page: bytes) -> Callable[[], object]:
    pydantic: Any = import_module("pydantic")

    date = pydantic.BeforeValidator(lambda value: value or None)
    fields: dict[str, Any] = {
        WIRE_NAMES[field.name]: (_annotated(field, date), ... if field.default is attrs.NOTHING else field.default)
        for field in READ
    }
    model = pydantic.create_model("Case", __config__=pydantic.ConfigDict(frozen=True), **fields)
    adapter = pydantic.TypeAdapter(list.__class_getitem__(model))
    return lambda: adapter.validate_json(page)


def _annotated(field: "attrs.Attribute[Any]", date: object) -> Any:
    return Annotated[field.type, date] if field.name in DATES else field.type


def _msgspec(page: bytes) -> Callable[[], object]:
    fields = {
        WIRE_NAMES[field.name]: attrs.field(type=Any if field.name in DATES else field.type, default=None)
        for field in READ
    }
    decode = msgspec.json.Decoder(list[attrs.make_class("Case", fields, frozen=True, slots=True)]).decode  # type: ignore[misc] # made at run time
    return lambda: decode(page)


def without(*names: str) -> Change:
    """Leave members out."""
    return lambda record: {name: value for name, value in record.items() if name not in names}


def numbers_as_text(record: dict[str, Any]) -> dict[str, Any]:
    """Numbers as text, those in lists, too."""
    return {name: _as_text(value) for name, value in record.items()}


def nothing_as(nothings: Sequence[Any]) -> Change:
    """Where a number, a date or a list is absent, one of these in turn."""
    turns = cycle(nothings)
    return lambda record: record | {name: next(turns) for name in MAY_BE_ABSENT if not record[name]}


def zero_dates(record: dict[str, Any]) -> dict[str, Any]:
    """Dates as MySQL has them where they are absent."""
    return record | {name: "0000-00-00 00:00:00" for name in WIRE_DATES if not record[name]}


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [*map(_as_text, value)]
    return str(value) if type(value) is int else value


def changed(page: bytes, change: Change) -> bytes:
    """A page with every record changed."""
    return orjson.dumps([change(record) for record in orjson.loads(page)])


def _changed_one(page: bytes, change: dict[str, Any]) -> bytes:
    *records, last = orjson.loads(page)
    return orjson.dumps([*records, last | change])


def _keep(error: UnexpectedResponseError) -> UnexpectedResponseError:
    return error


def verify(page: bytes) -> None:
    """Compare each record with what the converter makes of it, field by field, sources included."""
    records = read_cases(JSONText(page), _keep).items
    sources = [bytes(raw) for raw in msgspec.json.decode(page, type=list[msgspec.Raw])]
    for record, source in zip(records, sources, strict=True):
        expected = structure(Case, JSONText(source), _keep)
        if record != expected or type(record) is not Case or record.source != source:
            message = f"{record} is not {expected}"
            raise SystemExit(message)


def measured(kind: str, page: bytes, *, with_peers: bool) -> tuple[list[str], float]:
    """A row of the table, and the ratio of ours."""
    verify(page)
    print(f"{kind}: {quirks(page)}")
    ways: dict[str, Callable[[], object]] = {"orjson": lambda: orjson.loads(page), "ours": lambda: ours(page)}
    best = best_of(ROUNDS, ways | (peers(page) if with_peers else {}))
    ratios = {name: seconds / best["orjson"] for name, seconds in best.items()}
    return [kind, *(f"{ratios[name]:.2f} x" if name in ratios else "-" for name in ("ours", *PEERS))], ratios["ours"]


def main() -> None:
    bars: list[tuple[str, float, float]] = []
    rows: list[list[str]] = []
    usual = usual_pages()
    for kind, page in (usual | other_pages(usual["all cases"])).items():
        row, ratio = measured(kind, page, with_peers=kind in usual)
        rows.append(row)
        if kind != NO_BAR:
            bars.append((f"decoding {kind}", ratio, BAR if kind in usual else BAR_OF_OTHERS))
    print()
    print_table(["page", "fusedesk_async", *PEERS], rows)
    judge(bars)


OTHER_SERVERS: dict[str, Change] = {
    "only caseid": without("id"),
    "only id": without("caseid"),
    "only casenum": without("casenumber"),
    "only casenumber": without("casenum"),
    "only id and casenumber": without("caseid", "casenum"),
    "no case number": without("casenum", "casenumber"),
    "numbers as text everywhere": numbers_as_text,
    '"" for nothing': nothing_as([""]),
    "false for nothing": nothing_as([False]),
    '"", false, null for nothing': nothing_as(["", False, None]),
    NO_BAR: nothing_as([[]]),
    "0000-00-00 00:00:00 for no date": zero_dates,
    "members unknown to us": lambda record: record | {f"extra{number}": {"a": [number, "x"]} for number in range(5)},
}
ODD_RECORDS: dict[str, dict[str, Any]] = {
    "one odd number in 500 records": {"contactid": "x"},
    "one odd date in 500 records": {"date_opened": "soon"},
    "one odd text in 500 records": {"summary": {"a": 1}},
    "one empty list for a number in 500": {"contactid": []},
}
read_cases = many(Case)

if __name__ == "__main__":
    main()
