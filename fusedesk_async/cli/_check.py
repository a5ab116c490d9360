"""`fusedesk check`: are app and key good?"""

import click

from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._run import ask
from fusedesk_async.cli._text import one_line


@click.command(short_help="Say whether app and key are good.")
@connected
@click.option("--needs", metavar="SCOPES", default="", help="Fail if the key lacks one of these: cases,cases_update.")
def check(*, connection: Connection, needs: str) -> None:
    """Say whether app and key are good, and what the key may do. Takes one call."""
    wanted = {scope.strip() for scope in needs.split(",") if scope.strip()}
    access = ask(connection, lambda desk: desk.check(needs=wanted))
    click.echo(f"{access.base_url}: app and key are good")
    click.echo(f"scopes: {one_line(', '.join(sorted(access.scopes)) or 'none')}")
