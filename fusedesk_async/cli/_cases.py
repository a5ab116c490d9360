"""`fusedesk cases`: look at cases."""

from collections.abc import Iterable, Sequence

import click
from rich.console import Console

from fusedesk_async import Case, CaseFilters
from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async.cli._case_view import case_row, case_table, case_text
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._filters import filtered
from fusedesk_async.cli._run import ask
from fusedesk_async.cli._stdio import print_lines
from fusedesk_async.cli._text import counted


@click.group(short_help="Look at cases.")
def cases() -> None:
    """Look at cases."""


@cases.command(short_help="List cases.")
@connected
@filtered
@click.option("--order-by", metavar="TEXT", help='Such as "date_updated desc"; by id if not given.')
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Cases at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, as the server sent it.")
def search(*, connection: Connection, filters: CaseFilters, order_by: str | None, limit: int, as_json: bool) -> None:
    """List the cases that the options choose.

    On a terminal as a table; otherwise one line per case: id, number, status, opened, updated, opened by and summary,
    with tabs between them.
    """
    found = ask(
        connection,
        lambda desk: desk.cases.search(order_by=order_by, page_size=min(limit, LARGEST_PAGE), **filters).collect(
            max_items=limit
        ),
    )
    if as_json:
        _print_json(found)
        return
    _print_cases(found)
    if len(found) == limit:
        say(f"the first {counted(limit, 'case')}; --limit shows more")


@cases.command(short_help="Show a case and its history.")
@click.argument("case_id", type=click.IntRange(1), metavar="ID")
@connected
@click.option("--json", "as_json", is_flag=True, help="As the server sent it, on one line.")
def get(*, case_id: int, connection: Connection, as_json: bool) -> None:
    """Show the case with this ID, and its history. The ID is the number of the record, not the one that people see."""
    case = ask(connection, lambda desk: desk.cases.get(case_id))
    if as_json:
        _print_json([case])
        return
    console = Console(highlight=False)
    for paragraph in case_text(case, console.width if console.is_terminal else None):
        console.print(paragraph, soft_wrap=True)


def _print_json(records: Iterable[Case]) -> None:
    print_lines(b"".join(record.json_line + b"\n" for record in records))


def _print_cases(found: Sequence[Case]) -> None:
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(case_table(found))
        return
    for case in found:
        click.echo("\t".join(case_row(case)))
