"""The options that say which cases, and the filters made of them."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import click

from fusedesk_async import CaseFilters, DateFilter
from fusedesk_async.cli._completion import names_of

_DATES = ("opened", "updated", "closed")
_FILTERS = ("status", "department", "department_id", "rep", "rep_id", "contact_id", "email", "tag", "tag_id")


Command: TypeAlias = Callable[..., None]


def filtered(command: Command) -> Command:
    """Give a command the options that say which cases; it is called with `filters`."""

    @functools.wraps(command)
    def with_filters(**options: Any) -> None:
        chosen = {name: options.pop(name) for name in _FILTERS}
        dates = {f"date_{name}": _date(options.pop(f"{name}_after"), options.pop(f"{name}_before")) for name in _DATES}
        filters = {name: value for name, value in (chosen | dates).items() if value not in {None, ()}}
        command(filters=cast("CaseFilters", filters), **options)

    return functools.reduce(_apply, reversed(_options()), cast("Command", with_filters))


def _apply(command: Command, option: Callable[[Command], Command]) -> Command:
    return option(command)


def _options() -> list[Callable[[Command], Command]]:
    return [
        click.option("--status", metavar="TEXT", help="all, active, new, open or closed; all if not given."),
        *(
            click.option(f"--{name}-{side}", metavar="DATE", help=f"{name.capitalize()} {side} this date.")
            for name in _DATES
            for side in ("after", "before")
        ),
        click.option(
            "--department",
            metavar="NAME",
            shell_complete=names_of("departments"),
            help="Of the department of this name.",
        ),
        click.option("--department-id", type=int, metavar="N", help="Of this department."),
        click.option("--rep", metavar="NAME", shell_complete=names_of("reps"), help="Of this rep: name or address."),
        click.option("--rep-id", type=int, metavar="N", help="Of this rep (the rep's user id)."),
        click.option(
            "--contact-id", type=int, metavar="N", multiple=True, help="Of this contact; may be given several times."
        ),
        click.option("--email", metavar="ADDRESS", help="Of the contacts with this address."),
        click.option("--tag", metavar="NAME", shell_complete=names_of("tags"), help="With the tag of this name."),
        click.option("--tag-id", type=int, metavar="N", help="With this tag."),
    ]


def _date(after: str | None, before: str | None) -> DateFilter | None:
    if after is None and before is None:
        return None
    return DateFilter(after=after, before=before)
