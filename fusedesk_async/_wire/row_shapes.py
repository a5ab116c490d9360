"""The shape of rows: which members they have where a field may stand under several names, and the kinds of values.

PHP programs differ in both: one sends `caseid`, one `id`, one both; numbers come as texts, nothing as `""`. But the
rows of one response are alike, so the shape of one is that of most.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias

import attrs
import msgspec

from fusedesk_async import _json
from fusedesk_async._wire.columns import KINDS, Kind
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async.models import Record

Shape: TypeAlias = tuple["FieldShape", ...]
"""The shape of each field of a record, in their order."""

_NOT_READ = frozenset({"source", "odd"})
_NEVER = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""The type of a member that must not be there."""


@attrs.frozen(eq=False)
class FieldShape:
    """How a field is sent. There is one object for each way, see `field_shape`, so that comparing costs nothing.

    Attributes:
        member: The member that holds it; None if none of several that may is there.
        kinds: The kinds of `columns.KINDS` that its value is of, by their positions there.
    """

    member: str | None
    kinds: tuple[int, ...]


@cache
def field_shape(member: str | None, kinds: tuple[int, ...] = (0,)) -> FieldShape:
    """The shape of a field."""
    return FieldShape(member, kinds)


@attrs.frozen
class Field:
    """A field of a record.

    Attributes:
        name: Its name.
        type: Its type.
        default: What it is where no member holds it; `attrs.NOTHING` if one must.
        members: The members that may hold it; the first one that is there counts.
        kinds: The kinds of values that are sent for it.
    """

    name: str
    type: Any
    default: Any
    members: tuple[str, ...]
    kinds: Sequence[Kind]
    _decoders: Sequence[msgspec.json.Decoder[Any]]

    @property
    def is_required(self) -> bool:
        """Whether there is no record without it."""
        return self.default is attrs.NOTHING

    def shape(self, row: Mapping[str, bytes]) -> FieldShape | None:
        """How a row has it; None if it has not what is required, or what nothing can read."""
        for member in self.members:
            if member in row and not (self.is_required and row[member] == b"null"):
                kinds = self._kinds_of(row[member])
                return field_shape(member, kinds) if kinds else None
        if self.is_required:
            return None
        member, *others = self.members
        return field_shape(None) if others else field_shape(member, tuple(range(len(self.kinds))))

    def kind(self, shape: FieldShape) -> Kind:
        """The kind of its values in this shape."""
        return self.kinds[shape.kinds[0]]

    def struct_fields(self, shape: FieldShape) -> dict[str, tuple[Any, ...]]:
        """What a struct needs to read it in this shape: the name in the struct, type and default, by member.

        A member that would count more must not be there. Of a required field it may be null, which counts less.
        """
        position = self.members.index(shape.member) if shape.member else len(self.members)
        no_more = type(None) if self.is_required else _NEVER
        found: dict[str, tuple[Any, ...]] = {
            member: (f"no_{member}", no_more, None) for member in self.members[:position]
        }
        if shape.member:
            kind = self.kind(shape)
            absent = (None if kind.hook or kind.default else self.default,)  # hooks know None only
            is_needed = self.is_required or len(self.members) > 1
            found[shape.member] = (self.name, kind.type, *(() if is_needed else absent))
        return found

    def _kinds_of(self, text: bytes) -> tuple[int, ...]:
        return tuple(position for position, decoder in enumerate(self._decoders) if _can_decode(decoder, text))


def fields_of(record: type[Record]) -> list[Field]:
    """The fields that are read from members."""
    return [
        Field(
            field.name,
            field.type,
            field.default,
            answer_names(record, field.name),
            KINDS[field.type],
            [msgspec.json.Decoder(kind.type) for kind in KINDS[field.type]],
        )
        for field in attrs.fields(attrs.resolve_types(record))
        if field.name not in _NOT_READ
    ]


def shape_of(fields: Sequence[Field], text: bytes) -> Shape | None:
    """The shape of a row; None if it is none, lacks what is required, or holds what nothing can read."""
    try:
        row = _json.members(text)
    except ValueError:
        return None
    shape = tuple(filter(None, (field.shape(row) for field in fields)))
    return shape if len(shape) == len(fields) else None


def joined(one: Shape, other: Shape) -> Shape | None:
    """The shape that rows of both shapes have; None if they have their fields under different names."""
    pairs = [*zip(one, other, strict=True)]
    if any(a is not b and a.member != b.member for a, b in pairs):
        return None
    return tuple(a if a is b else field_shape(a.member, _in_both(a.kinds, b.kinds)) for a, b in pairs)


def read_as(shape: Shape) -> tuple[tuple[str | None, int], ...]:
    """What of a shape decides how rows are read: the members, and of the kinds the first."""
    return tuple((field.member, field.kinds[0]) for field in shape)


def _in_both(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(kind for kind in one if kind in other)


def struct_of(name: str, fields: Sequence[Field], shape: Shape) -> type[msgspec.Struct]:
    """A struct that rows of this shape can be read as, its fields named as those of the record."""
    parts: dict[str, tuple[Any, ...]] = {}
    for field, each in zip(fields, shape, strict=True):
        parts |= field.struct_fields(each)
    members = {part[0]: member for member, part in parts.items()}
    return msgspec.defstruct(name, [*parts.values()], rename=members, kw_only=True, gc=False)


def _can_decode(decoder: msgspec.json.Decoder[Any], text: bytes) -> bool:
    try:
        decoder.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
