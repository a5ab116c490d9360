"""Cases as a list."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from fusedesk_async import Case
from fusedesk_async.cli._text import one_line

STATUS_STYLES = {"new": "bold green", "open": "yellow", "closed": "dim"}


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
    """Cases for a terminal."""
    rows = [case_row(case) for case in cases]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(("ID", "Number", "Status", "Opened", "Updated")):
        widest = max(len(text) for text in (heading, *(row[place] for row in rows)))
        table.add_column(heading, no_wrap=True, min_width=widest, justify="left" if place else "right")
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
