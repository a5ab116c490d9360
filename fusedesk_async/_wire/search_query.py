"""A search as the query that asks for it."""

from collections.abc import Iterator, Sized
from typing import Any, Unpack

from fusedesk_async._wire.field_names import column_name, request_name
from fusedesk_async._wire.name_refs import by_name
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import CaseFilters, DateFilter, Order, OrderBy, asc, on
from fusedesk_async.models import Case

STEADY_ORDER = asc("id")
"""Cases never change their id, so under this order none moves; under the server's own (`date_updated`) many do."""


def search_query(order_by: OrderBy | None, **filters: Unpack[CaseFilters]) -> dict[str, Any]:
    """The query parameters of a search of cases, under the API's names.

    Raises:
        TypeError: There is no such filter.
        ConfigurationError: A value cannot be right.
    """
    given: dict[str, Any] = {**filters}
    known = CaseFilters.__optional_keys__
    for name in given:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - for those who slip only

            near = get_close_matches(name, known, n=3)
            message = f"cases have no filter {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
            raise TypeError(message)
    query = {request_name(name): _value(name, value) for name, value in by_name(given).items() if value is not None}
    return query | {"orderby": order_text(Case, STEADY_ORDER if order_by is None else order_by)}


def order_text(record: type, order_by: OrderBy) -> str:
    """An order of records as `orderby` has it: columns under the API's names, each with its direction.

    Raises:
        ConfigurationError: It cannot be right.
    """
    columns = _order_columns(order_by)
    return ", ".join(f"{column_name(record, column)} {direction}" for column, direction in columns)


def _order_columns(order_by: OrderBy) -> tuple[tuple[str, str], ...]:
    """The columns of an order with the direction of each; a bare column ascends (plugin's help).

    Raises:
        ConfigurationError: There is none, or one is more than a name and a direction.
    """
    parts = [order_by] if isinstance(order_by, str | Order) else order_by
    columns = tuple(column for part in parts for column in _columns(part))
    if not columns:
        message = "order_by names no column; leave it out instead"
        raise ConfigurationError(message)
    return columns


def _columns(part: str | Order) -> Iterator[tuple[str, str]]:
    if isinstance(part, Order):
        yield part.column, part.direction
        return
    for text in part.split(","):
        match text.split():
            case [column] if column.isidentifier():
                yield column, "asc"
            case [column, direction] if column.isidentifier() and direction.lower() in {"asc", "desc"}:
                yield column, direction.lower()
            case _:
                message = f"order_by takes columns such as 'date_updated desc, id', not {part!r}"
                raise ConfigurationError(message)


def _value(name: str, value: Any) -> Any:
    if name.startswith("date_") and not isinstance(value, DateFilter):
        return on(value)
    if isinstance(value, Sized) and not value:
        message = f"{name} is empty, which the server would take as no filter at all"
        raise ConfigurationError(message)
    return value
