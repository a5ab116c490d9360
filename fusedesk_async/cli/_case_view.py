"""Cases for a terminal: many as a table, one with its history."""

import json
import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from fusedesk_async import Case, CaseDetail, Email, HistoryItem, Note
from fusedesk_async.cli._text import clean, one_line

STATUS_STYLES = {"new": "bold green", "open": "yellow", "closed": "dim"}
_INDENT = "    "


def case_row(case: Case) -> tuple[str, ...]:
    """A case on one line: id, number, status, opened, updated, opened by, summary."""
    return (
        str(case.id),
        one_line(case.case_number or ""),
        one_line(case.status or ""),
        day(case.date_opened),
        day(case.date_updated),
        one_line(case.opened_by or ""),
        one_line(case.summary or ""),
    )


def case_table(cases: Iterable[Case]) -> Table:
    """Cases as a table."""
    rows = [case_row(case) for case in cases]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, heading in enumerate(("ID", "Number", "Status", "Opened", "Updated")):
        widest = max(len(text) for text in (heading, *(row[column] for row in rows)))
        table.add_column(heading, no_wrap=True, min_width=widest, justify="left" if column else "right")
    table.add_column("By", no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column("Summary", no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = [Text(cell) for cell in row]
        cells[2].stylize(STATUS_STYLES.get(row[2], ""))
        table.add_row(*cells)
    return table


def day(moment: datetime | None) -> str:
    """The date in the server's zone; empty if there is none."""
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def case_text(case: CaseDetail, width: int | None = None) -> Iterator[Text]:
    """The case, paragraph by paragraph.

    Args:
        case: The case.
        width: Where long lines are broken; None to leave them as they are.
    """
    yield Text.assemble(
        (one_line(case.case_number or f"case {case.id}"), "bold cyan"), "  ", (one_line(case.summary or ""), "bold")
    )
    for name, value in _facts(case):
        if value:
            style = STATUS_STYLES.get(value, "") if name == "status" else ""
            yield Text.assemble((f"  {name:<16}", "dim"), (one_line(value), style))
    if case.details:
        yield Text.assemble("\n", ("Details", "bold"), "\n", _indented(case.details, width))
    if case.history:
        yield Text(f"\nHistory ({len(case.history)})", "bold")
    for item in case.history:
        yield _history_item(item, width)


def _facts(case: CaseDetail) -> tuple[tuple[str, str], ...]:
    return (
        ("id", str(case.id)),
        ("status", case.status or ""),
        ("opened", _moment(case.date_opened)),
        ("opened by", case.opened_by or ""),
        ("assigned", _moment(case.date_assigned)),
        ("first response", _moment(case.date_first_response)),
        ("last response", _moment(case.date_last_response)),
        ("updated", _moment(case.date_updated)),
        ("closed", _moment(case.date_closed)),
        ("department", _number(case.department_id)),
        ("rep", _number(case.rep_id)),
        ("contact", _number(case.contact_id) or case.contact_uuid or ""),
        ("company", _number(case.company_id)),
        ("tags", ", ".join(map(str, case.tags))),
        ("rating", _loose(case.rating)),
        ("feedback", _loose(case.feedback)),
        ("archived", "yes" if case.is_archived else ""),
    )


def _history_item(item: HistoryItem, width: int | None) -> Text:
    by = f" · rep {item.rep_id}" if item.rep_id else ""
    match item:
        case Note():
            when, title, text = _moment(item.date_added), item.title, item.note
        case Email():
            when, title, text = _moment(item.date_sent or item.date_received), item.subject, item.body
            by = f" · {item.sender or '?'} → {item.to or '?'}"
        case _:
            when, title, text = "", None, json.dumps(item.raw, ensure_ascii=False)
    head = f"{item.type} · {when}{by}" if when else f"{item.type}{by}"
    body = "\n".join(part for part in (title, text) if part)
    return Text.assemble("\n", (f"  {one_line(head)}", "cyan"), "\n", _indented(body, width))


def _indented(text: str, width: int | None) -> str:
    lines = clean(text).strip().split("\n")
    if width:
        room = max(width - len(_INDENT), len(_INDENT))
        lines = ["\n".join(textwrap.wrap(line, room, break_long_words=False)) for line in lines]
    return textwrap.indent("\n".join(line.rstrip() for line in lines), _INDENT)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(sep=" ", timespec="minutes")


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _loose(value: object) -> str:
    return "" if value is None else str(value)
