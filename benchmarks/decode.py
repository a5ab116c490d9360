"""Decoding: the bytes of a page of 500 cases to frozen `Case` objects, as a multiple of `orjson.loads` of the bytes.

    uv run --group benchmarks python benchmarks/decode.py

Processor time of this process, best of many interleaved rounds. Bar: 2.0 x on the sandbox's pages.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, NoReturn

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

ROUNDS = 150
BAR = 2.0
BARRED = ("all cases", "open cases", "closed cases")

DATES = [field.name for field in attrs.fields(attrs.resolve_types(Case)) if field.type == datetime | None]
READ = [field for field in attrs.fields(Case) if field.name not in {"source", "odd"}]
WIRE_NAMES = {field.name: answer_names(Case, field.name)[0] for field in READ}
PEERS = ("plain cattrs", "pydantic", "msgspec into attrs, nothing mended")


def pages() -> dict[str, bytes]:
    """The kinds of page: the first three as the sandbox answers, the others with every record changed."""
    sandbox = Sandbox(20_000)
    usual = first_page(sandbox)
    return {
        "all cases": usual,
        "open cases": first_page(sandbox, status="open"),
        "closed cases": first_page(sandbox, status="closed"),
        "numbers as text everywhere": _changed(usual, _with_numbers_as_text),
        "for the converter everywhere": _changed(usual, _without_first_name),
    }


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
    return read_cases(JSONText(page), _refuse).items


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


def _with_numbers_as_text(record: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if type(value) is int else value for name, value in record.items()}


def _without_first_name(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "casenum"}


def _changed(page: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    return orjson.dumps([change(record) for record in orjson.loads(page)])


def _refuse(error: UnexpectedResponseError) -> NoReturn:
    raise error


def verify(page: bytes) -> None:
    """Compare each record with what the converter makes of it, field by field, sources included."""
    records = ours(page)
    sources = [bytes(raw) for raw in msgspec.json.decode(page, type=list[msgspec.Raw])]
    for record, source in zip(records, sources, strict=True):
        expected = structure(Case, JSONText(source), _refuse)
        if record != expected or type(record) is not Case or record.source != source:
            message = f"{record} is not {expected}"
            raise SystemExit(message)


def main() -> None:
    bars: list[tuple[str, float, float]] = []
    rows: list[list[str]] = []
    for kind, page in pages().items():
        verify(page)
        print(f"{kind}: {quirks(page)}")
        barred = kind in BARRED
        ways: dict[str, Callable[[], object]] = {"orjson": lambda page=page: orjson.loads(page)}  # type: ignore[misc] # mypy cannot infer it
        ways |= {"ours": lambda page=page: ours(page)}  # type: ignore[misc] # mypy cannot infer it
        best = best_of(ROUNDS, ways | (peers(page) if barred else {}))
        ratios = {name: seconds / best["orjson"] for name, seconds in best.items()}
        rows.append([kind, *(f"{ratios[name]:.2f} x" if name in ratios else "-" for name in ("ours", *PEERS))])
        bars += [(f"decoding {kind}", ratios["ours"], BAR)] if barred else []
    print()
    print_table(["page", "fusedesk_async", *PEERS], rows)
    judge(bars)


read_cases = many(Case)

if __name__ == "__main__":
    main()
