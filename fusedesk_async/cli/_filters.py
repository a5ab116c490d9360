"""The options that say which cases, and the filters made of them."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import click

from fusedesk_async import CaseFilters, DateFilter
from fusedesk_async.cli._completion import names_of

Command: TypeAlias = Callable[..., None]

_DATES = ("opened", "updated", "closed")
_SIDES = ("after", "before")
_OPTIONS = (
    *("status", "department", "department_id", "rep", "rep_id", "contact_id", "email", "tag", "tag_id"),
    *(f"{name}_{side}" for name in _DATES for side in _SIDES),
)


def filtered(command: Command) -> Command:
    """Give a command the options that say which cases; it is called with `filters`."""

    @functools.wraps(command)
    def with_filters(**options: Any) -> None:
        filters = _filters(**{name: options.pop(name) for name in _OPTIONS})
        command(filters=filters, **options)

    return functools.reduce(_apply, reversed(_options()), cast("Command", with_filters))


def _filters(
    *,
    status: str | None,
    department: str | None,
    department_id: int | None,
    rep: str | None,
    rep_id: int | None,
    contact_id: tuple[int, ...],
    email: str | None,
    tag: str | None,
    tag_id: int | None,
    **dates: str | None,
) -> CaseFilters:
    filters = _date_filters(**dates)
    if status is not None:
        filters["status"] = status
    if department is not None:
        filters["department"] = department
    if department_id is not None:
        filters["department_id"] = department_id
    if rep is not None:
        filters["rep"] = rep
    if rep_id is not None:
        filters["rep_id"] = rep_id
    if contact_id:
        filters["contact_id"] = contact_id
    if email is not None:
        filters["email"] = email
    if tag is not None:
        filters["tag"] = tag
    if tag_id is not None:
        filters["tag_id"] = tag_id
    return filters


def _date_filters(
    *,
    opened_after: str | None,
    opened_before: str | None,
    updated_after: str | None,
    updated_before: str | None,
    closed_after: str | None,
    closed_before: str | None,
) -> CaseFilters:
    filters: CaseFilters = {}
    if opened := _date(opened_after, opened_before):
        filters["date_opened"] = opened
    if updated := _date(updated_after, updated_before):
        filters["date_updated"] = updated
    if closed := _date(closed_after, closed_before):
        filters["date_closed"] = closed
    return filters


def _apply(command: Command, option: Callable[[Command], Command]) -> Command:
    return option(command)


def _options() -> list[Callable[[Command], Command]]:
    return [
        click.option("--status", metavar="TEXT", help="all, active, new, open or closed; all if not given."),
        *(
            click.option(f"--{name}-{side}", metavar="DATE", help=f"{name.capitalize()} {side} this date.")
            for name in _DATES
            for side in _SIDES
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
