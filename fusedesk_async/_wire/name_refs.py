"""Names in the place of ids, which are looked up before a call is sent."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import attrs

from fusedesk_async._checks import not_both
from fusedesk_async._wire.call import Call, number
from fusedesk_async.errors import ConfigurationError

T = TypeVar("T")
Kind: TypeAlias = Literal["department", "rep", "tag"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def _filled(ref: "NameRef", _: object, text: str) -> None:
    if not (isinstance(text, str) and text.strip()):
        message = f"{ref.kind} is a name, not {text!r:.80}"
        raise ConfigurationError(message)


@attrs.frozen
class NameRef:
    """Something referred to by its name, whose id is not known yet.

    Attributes:
        kind: What it is.
        text: The name.
    """

    kind: Kind
    text: str = attrs.field(validator=_filled)


def by_name(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with `department="Billing"` turned into a `department_id` to be looked up; likewise `rep` and `tag`.

    Raises:
        ConfigurationError: Both name and id are given, or the name is not a text with something in it.
    """
    given = dict(fields)
    for kind in KINDS:
        name = given.pop(kind, None)
        if name is not None:
            not_both(kind, name, given.get(f"{kind}_id"))
            given[f"{kind}_id"] = NameRef(kind, name)
    return given


def with_id_segment(call: Call[T], kind: Kind, value: int | None, name: str | None) -> Call[T]:
    """The call with an id at the end of its path, or a name that is looked up.

    Raises:
        ConfigurationError: There is not exactly one of them, or it cannot be right.
    """
    if name is None:
        return attrs.evolve(call, path=f"{call.path}/{number(cast('int', value), f'a {kind} id')}")
    not_both(kind, name, value)
    return attrs.evolve(call, last_segment=NameRef(kind, name))


def names_in(call: Call[Any]) -> Iterator[NameRef]:
    """The names in a call."""
    for value in (*call.query.values(), *call.form.values(), call.last_segment):
        if isinstance(value, NameRef):
            yield value


def with_ids(call: Call[T], id_of: Callable[[NameRef], int]) -> Call[T]:
    """A new call with ids in place of all names.

    Args:
        call: A call, which is left as it is.
        id_of: Finds the id that a name stands for.
    """

    def ids(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: id_of(value) if isinstance(value, NameRef) else value for name, value in parameters.items()}

    last = call.last_segment
    path = call.path if last is None else f"{call.path}/{id_of(last)}"
    return attrs.evolve(call, path=path, query=ids(call.query), form=ids(call.form), last_segment=None)
