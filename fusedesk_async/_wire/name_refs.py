"""Names in the place of ids, which are looked up before a call is sent."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import attrs

from fusedesk_async._wire.call import Call, number
from fusedesk_async.errors import ConfigurationError

T = TypeVar("T")
Kind: TypeAlias = Literal["department", "rep", "tag"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def _filled(named: "Named", _: object, text: str) -> None:
    if not (isinstance(text, str) and text.strip()):
        message = f"{named.kind} is a name, not {text!r:.80}"
        raise ConfigurationError(message)


@attrs.define(eq=False)
class Named:
    """Something known by its name. It stands for one id from the first time that it is sent.

    Attributes:
        kind: What it is.
        text: The name.
        id: The id, once it has been looked up.
    """

    kind: Kind
    text: str = attrs.field(validator=_filled)
    id: int | None = None


def by_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with `department="Billing"` turned into a `department_id` that is looked up; likewise `rep`, `tag`.

    Raises:
        ConfigurationError: Both name and id are given, or the name is none.
    """
    given = dict(fields)
    for kind in KINDS:
        name = given.pop(kind, None)
        if name is None:
            continue
        if given.get(f"{kind}_id") is not None:
            message = f"give {kind} or {kind}_id, not both"
            raise ConfigurationError(message)
        given[f"{kind}_id"] = Named(kind, name)
    return given


def ending_in(call: Call[T], kind: Kind, value: int | None, name: str | None) -> Call[T]:
    """The call with an id at the end of its path, or a name that is looked up.

    Raises:
        ConfigurationError: There is not exactly one of them, or it cannot be right.
    """
    if name is None:
        return attrs.evolve(call, path=f"{call.path}/{number(cast('int', value), f'a {kind} id')}")
    return attrs.evolve(call, tail=by_name({kind: name, f"{kind}_id": value})[f"{kind}_id"])


def unknown_names(call: Call[Any]) -> Iterator[Named]:
    """The names in a call that have not been looked up."""
    for value in (*call.query.values(), *call.form.values(), call.tail):
        if isinstance(value, Named) and value.id is None:
            yield value
