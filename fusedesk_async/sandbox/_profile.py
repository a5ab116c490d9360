"""What nobody knows of FuseDesk, as choices: one value that says which of the possible servers a sandbox is."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta, timezone
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import attrs

from ._calendar import ZONE

OverLimit = Literal["refused", "cut"]
LimitZero = Literal["refused", "none", "default", "all"]
OffsetPastEnd = Literal["nothing", "error", "last page"]
NoMatches = Literal["list", "text", "empty", "false", "null", "error", "404"]
Marker = Literal["null", "empty", "false", "zero", "absent"]
UsageCounts = Literal["left", "used"]
RetryAfter = Literal["seconds", "date", "none"]
Slash = Literal["served", "redirect", "404"]
Compression = Literal["gzip", "deflate", "none"]
TextChange = Literal["trimmed", "escaped", "cut"]
JsonType = Literal["number", "text", "boolean", "null", "list", "object"]


_CHECKS: dict[str, Callable[[Any], object]] = {
    "orders": lambda forms: {*forms} <= {"caseid asc", "caseid", "caseid desc"},
    "default_order": re.compile("[a-z_]+( asc| desc)?").fullmatch,
    "largest_limit": lambda rows: rows >= 1,
    "case_id_names": lambda names: names and {*names} <= {"caseid", "id"},
    "case_number_names": lambda names: {*names} <= {"casenum", "casenumber", "case_number"},
    "department_names": lambda names: {*names} <= {"departmentid", "depid"},
    "missing_dates": len,
    "zone": re.compile(r"[+-](0\d|1[0-4]):[0-5]\d").fullmatch,
    "history_names": len,
    "limit_header": re.compile("[A-Za-z0-9-]*").fullmatch,
    "usage_header": re.compile("[A-Za-z0-9-]*").fullmatch,
    "call_cost": lambda calls: calls >= 1,
    "content_type": re.compile("[ -~]*").fullmatch,
    "latency": lambda seconds: 0 <= seconds < 3_600,  # noqa: PLR2004 - an hour
    "clock_skew": lambda seconds: abs(seconds) < 1e9,  # noqa: PLR2004 - thirty years
}
"""What values must be beside being of their type."""


def _check(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    """Refuse a value of another type, or one that no server has."""
    fits = value is None or _is_a(value, attribute.type)
    if not fits or (value is not None and attribute.name in _CHECKS and not _CHECKS[attribute.name](value)):
        message = f"{attribute.name} cannot be {value!r}"
        raise ValueError(message)


def _is_a(value: Any, wanted: Any) -> bool:
    """Whether a value is of a type of a field."""
    kind, parts = get_origin(wanted), get_args(wanted)
    members: Any = value
    if kind in {UnionType, Union}:
        return any(_is_a(value, part) for part in parts)
    if kind is Literal:
        return isinstance(value, str) and value in parts
    if kind is tuple:
        return isinstance(value, tuple) and all(_is_a(each, parts[0]) for each in members)
    if kind is Mapping:
        return isinstance(value, dict) and all(_is_a(each, parts[1]) for each in members.values())
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is wanted


def _checked(_: type, fields: list[Any]) -> list[Any]:
    return [field.evolve(validator=_check, converter=_tuple) for field in fields]


def _tuple(value: Any) -> Any:
    members: Any = value
    return tuple(members) if isinstance(value, list) else value


@attrs.frozen(kw_only=True, field_transformer=_checked)
class SandboxProfile:
    """Which of the servers that FuseDesk may be a sandbox is.

    Each name is that of the finding in a report of `fusedesk doctor` which tells it. None: as the pages and the
    plugin show it, and as the docstring of the place assumes where they do not.

    Attributes:
        orders: The forms of an order by id that are honoured, of `caseid asc`, `caseid` and `caseid desc`; the others
            are passed over: the list comes as if none had been asked for. None: all of them.
        default_order: Where none is asked for, written as for `orderby`; None: `date_updated desc`.
        largest_limit: Rows; None: 500 (S2).
        over_limit: What a larger limit brings: it is "refused" or "cut" to the largest one; None: "refused".
        limit_zero: What `limit=0` brings: it is "refused", or there are "none", the "default" number of rows, or as
            many as the largest limit ("all"); None: "refused".
        offset_past_end: What an offset past the end brings: what "nothing" else brings, an "error", or the "last page";
            None: "nothing".
        no_matches: What stands for no rows: an empty "list" `[]`, an empty "text" `""`, an "empty" body, "false",
            "null", an "error" with status 405 in the usual body, or a "404"; None: "list".
        case_id_names: Members that hold the id of a case, of `caseid` and `id`; None: both.
        case_number_names: Members that hold its number, of `casenum`, `casenumber` and `case_number`; None: the first
            two.
        department_names: Members that hold its department, of `departmentid` and `depid`; None: the first.
        numbers_as_text: Whether numbers in records come as text, as PHP is known to send them; None: a few do.
        missing_dates: What stands for a date that there is not: "null", "empty" (`""`), "false", "zero"
            (`0000-00-00 00:00:00`) or "absent" (no member); where there are several, members take turns. None: the
            first three, as the plugin and a tool show them.
        extra_members: Further members of cases by name, each with the type of its values: "number", "text", "boolean",
            "null", "list" or "object".
        zone: Offset from UTC in which dates are written and bare ones are read, as in `+02:00`; None: `-05:00`.
        after_inclusive: Whether a filter with `after` keeps what happened on its day; None: it does.
        before_inclusive: Whether a filter with `before` keeps what happened on its day; None: it does not.
        notes_update: Whether a new note moves `date_updated`; None: it does.
        history_names: Members that hold the history of a case. Of one, it holds everything; of two, the first has
            calls and notes, and the second mails. None: `history`.
        case_numbers_in_paths: Whether a path takes the number of a case for its id; None: it does not.
        limit_header: Name of the header with the calls per hour (PM); `""`: not sent. None: `X-FuseDesk-Usage-Limit`.
        usage_header: Name of the header that counts calls; `""`: not sent. None: `X-FuseDesk-Usage-Remaining`, whose
            name is assumed.
        usage_counts: What it counts: calls "left" or "used"; None: "left".
        call_cost: As how many calls one call counts; None: 1.
        retry_after: How a 429 tells the wait: in "seconds", as a "date", or not at all ("none"); None: "none".
        content_type: Of bodies; `""`: none. None: `application/json`.
        compression: Of bodies, where the client takes it: "gzip", "deflate" or "none"; None: "none".
        trailing_slash: A path that ends with a slash is "served" as one that does not, or brings a "redirect" there,
            or a "404"; None: "served".
        latency: Seconds between carrying a call out and answering it; None: 0.
        clock_skew: Seconds by which the server's clock is ahead of the sandbox's; None: 0.
        keeps_date_opened: Whether a case is opened at the date that is asked for; None: it is (S2).
        text_changes: What happens to texts of new cases and notes: they are "trimmed" of blanks at both ends,
            "escaped" as HTML, "cut" after 255 characters; None: nothing.
        tags_twice: Whether a tag that a case has, or has not, can be put on it, or taken off, again; None: it can.
        scopes: What the key may do; None: everything.
    """

    orders: tuple[str, ...] | None = None
    default_order: str | None = None
    largest_limit: int | None = None
    over_limit: OverLimit | None = None
    limit_zero: LimitZero | None = None
    offset_past_end: OffsetPastEnd | None = None
    no_matches: NoMatches | None = None
    case_id_names: tuple[str, ...] | None = None
    case_number_names: tuple[str, ...] | None = None
    department_names: tuple[str, ...] | None = None
    numbers_as_text: bool | None = None
    missing_dates: tuple[Marker, ...] | None = None
    extra_members: Mapping[str, JsonType] | None = None
    zone: str | None = None
    after_inclusive: bool | None = None
    before_inclusive: bool | None = None
    notes_update: bool | None = None
    history_names: tuple[str, ...] | None = None
    case_numbers_in_paths: bool | None = None
    limit_header: str | None = None
    usage_header: str | None = None
    usage_counts: UsageCounts | None = None
    call_cost: int | None = None
    retry_after: RetryAfter | None = None
    content_type: str | None = None
    compression: Compression | None = None
    trailing_slash: Slash | None = None
    latency: float | None = None
    clock_skew: float | None = None
    keeps_date_opened: bool | None = None
    text_changes: tuple[TextChange, ...] | None = None
    tags_twice: bool | None = None
    scopes: tuple[str, ...] | None = None

    @property
    def timezone(self) -> timezone:
        """In which dates are written, and bare ones read."""
        if self.zone is None:
            return ZONE
        sign, hours, minutes = self.zone[0], int(self.zone[1:3]), int(self.zone[4:])
        return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1))

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> "SandboxProfile":
        """The server that a report of `fusedesk doctor` tells of.

        Findings of other names, and those that could not be told, are passed over.

        Args:
            report: As read from its JSON.

        Raises:
            ValueError: It is no report, or a finding has a value that its name does not have.
        """
        findings: Any = report.get("findings") if isinstance(report, Mapping) else None
        if not isinstance(findings, dict) or report.get("version") != 1:
            message = "this is no report of fusedesk doctor, or one of another version"
            raise ValueError(message)
        told = {name: _told(finding) for name, finding in cast("dict[str, Any]", findings).items()}
        names = [field.name for field in attrs.fields(cls)]
        return cls(**{name: told[name] for name in names if told.get(name) is not None})


def _told(finding: Any) -> Any:
    """What a finding tells; None where it tells nothing."""
    told = cast("dict[str, Any]", finding) if isinstance(finding, dict) else {}
    return told.get("value") if told.get("verdict") in {"known", "differs"} else None


USUAL = SandboxProfile()
