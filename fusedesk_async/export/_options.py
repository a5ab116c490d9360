"""The options of an export, as callers give them and as they are once checked."""

import re
from datetime import timedelta
from typing import Any, Self, cast

import attrs

from fusedesk_async._checks import at_least_one, one_of, positive
from fusedesk_async._client import FuseDesk
from fusedesk_async._config import LOOPBACK
from fusedesk_async._pagination.bookmark import Bookmark, job_of
from fusedesk_async._pagination.pages import checked_page_size
from fusedesk_async._wire.call import LARGEST_PAGE, get
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async._wire.search_query import search_query
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.export._checkpoint import Job
from fusedesk_async.export._sink import Replacement, Resume, Sink
from fusedesk_async.export._target import Destination, Format, format_of, layout_of, shown, sink_for
from fusedesk_async.filters import CaseFilters

LOOK_BACK = timedelta(days=2)
"""Bounds of a date filter are read in a zone that is not public and may not belong to the range: two days are safe."""

ALL_PERMISSIONS = 0o777


class ExportOptions(CaseFilters, total=False):
    """How to export, and which cases: the options of `export_cases` and all filters of a search.

    Keys:

    - `format`: `jsonl`, `csv`, `parquet`, `sqlite` or `postgres`; by default that of the output's ending or address.
    - `history`: fetch each case with its history: one more call for each.
    - `update`: bring an export in SQLite or Postgres up to date, or make it if there is none. Cases that changed are
      replaced; those that do not match any more stay, with `matches` 0 (false) and their old history. That a case was
      deleted, the API does not tell: it stays as it was. An update that was cut off is resumed, whatever `resume` says.
    - `join`: into Postgres with histories, together with other processes that do the same: the first reads the list,
      and all of them fetch histories, until the export is whole. If one is killed, others take over what it was at,
      once its claims have expired after a minute. An export that is whole already is left as it is, unless `update`
      is set.
    - `resume`: `auto` resumes an earlier run if there is one, `never` starts over, `require` refuses to start over.
    - `overwrite`: replace an output that exists, once the new one is complete.
    - `allow_empty`: replace an output that holds cases even if none came this time. Without it that is an error, and
      the output stays as it is: a server that says "nothing" by mistake would empty it.
    - `mode`: permissions of a file, such as `0o640`. By default those of the output that is replaced, and of a new
      one 0600: it holds customers' data.
    - `guard_formulas`: put a `'` in front of texts in CSV that a spreadsheet would take for formulas.
    - `bom`: begin CSV with a byte order mark, without which Excel reads UTF-8 as something else; Python and pandas read
      such a file with `encoding="utf-8-sig"`.
    - `concurrency`: at most this many calls, or three if it is less, are in flight or not yet written; a crash costs
      no more of them.
    - `page_size`: cases fetched at once, 2 to 500; fewer where the server cannot send as many. Each page is one call.
    - `outage`: seconds for which FuseDesk may be out of reach until the export gives up; by default an hour.
    - `look_back`: how far before the last export began an update looks for changes; by default two days.
    """

    format: Format | None
    history: bool
    update: bool
    join: bool
    resume: Resume
    overwrite: bool
    allow_empty: bool
    mode: int | None
    guard_formulas: bool
    bom: bool
    concurrency: int
    page_size: int
    outage: float
    look_back: timedelta


@attrs.frozen(kw_only=True, eq=False)
class Options:
    """What a caller wants, checked. For what the others mean, see `ExportOptions`.

    Attributes:
        to: The output.
        job: What the export is about.
        filters: Which cases.
    """

    to: Destination
    job: Job
    filters: CaseFilters
    update: bool = False
    join: bool = False
    resume: Resume = "auto"
    overwrite: bool = False
    allow_empty: bool = False
    mode: int | None = None
    guard_formulas: bool = False
    bom: bool = False
    concurrency: int = 4
    page_size: int = LARGEST_PAGE
    outage: float = 3600.0
    look_back: timedelta = LOOK_BACK

    @classmethod
    async def read(cls, desk: FuseDesk, to: Destination, options: ExportOptions) -> Self:
        """Check what a caller gave.

        Raises:
            ConfigurationError: One of the options cannot be right.
        """
        given: dict[str, Any] = {**await _with_ids(desk, options)}
        kind, history = format_of(to, given.pop("format", None)), bool(given.pop("history", False))
        fields = {name: given.pop(name) for name in _FIELDS & given.keys()}
        filters = cast("CaseFilters", given)  # what is left; a name that is none is refused by `_query_of`
        guard_formulas, bom = bool(fields.get("guard_formulas")), bool(fields.get("bom"))
        job = Job(
            server=_without_local_port(desk.base_url),
            query=_query_of(filters),
            format=kind,
            history=history,
            layout=layout_of(kind, to, history=history, guard_formulas=guard_formulas, bom=bom),
        )
        return cls(to=to, job=job, filters=filters, **fields)

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be right."""
        one_of(self.resume, Resume, "resume")
        at_least_one(self.concurrency, "concurrency")
        checked_page_size(self.page_size, ascending=True)
        positive(self.outage, "outage")
        if self.mode is not None and (isinstance(self.mode, bool) or not 0 <= self.mode <= ALL_PERMISSIONS):
            message = f"mode is a number of permissions such as 0o640, not {self.mode!r}"
            raise ConfigurationError(message)
        if not isinstance(self.look_back, timedelta) or self.look_back < timedelta():
            message = f"look_back is a timedelta of zero or more, not {self.look_back!r}"
            raise ConfigurationError(message)
        if self.mode is not None and self.job.format == "postgres":
            message = "mode is for files only; in Postgres give permissions with GRANT, which a new export keeps"
            raise ConfigurationError(message)
        if self.guard_formulas and self.job.format != "csv":
            message = "guard_formulas is for CSV only: no other format is opened as a spreadsheet"
            raise ConfigurationError(message)
        if self.bom and self.job.format != "csv":
            message = "bom is for CSV only: in other formats a byte order mark would be a fault"
            raise ConfigurationError(message)
        self._check_databases()

    def _check_databases(self) -> None:
        """Refuse what only a database can do, and what does not go together there."""
        if self.update and not self.is_database:
            message = "only an export in SQLite or Postgres can be updated; give a name that ends in .db or its address"
            raise ConfigurationError(message)
        if self.update and "date_updated" in self.filters:
            message = "date_updated cannot be a filter together with update=True"
            raise ConfigurationError(message)
        if self.join and not (self.history and self.job.format == "postgres"):
            message = "join is for exports into Postgres with history=True: only histories can be shared out"
            raise ConfigurationError(message)
        if self.join and (self.overwrite or self.resume != "auto"):
            message = "join does not go with overwrite or resume: it would start over what others have just finished"
            raise ConfigurationError(message)

    @property
    def name(self) -> str:
        """What the output is called."""
        return shown(self.to)

    @property
    def history(self) -> bool:
        """Whether each case is fetched with its history."""
        return self.job.history

    @property
    def history_with_list(self) -> bool:
        """Whether the histories of a page are fetched before the next page; else all of them at the end."""
        return self.history and not self.join

    @property
    def is_database(self) -> bool:
        """Whether the output has tables, and can be updated later."""
        return self.job.format in {"sqlite", "postgres"}

    @property
    def is_filtered(self) -> bool:
        """Whether there may be cases that do not belong to the export, so that one may leave it."""
        return self.job.query not in {"", "status=all"}

    def sink(self) -> Sink:
        """The output itself."""
        return sink_for(
            self.to,
            self.job.format,
            history=self.history,
            guard_formulas=self.guard_formulas,
            bom=self.bom,
            update=self.update,
            replacement=Replacement(allow_empty=self.allow_empty, mode=self.mode),
        )


_FIELDS = ExportOptions.__optional_keys__ - CaseFilters.__optional_keys__ - {"format", "history"}
"""Options that are fields of `Options` under the same name."""


async def _with_ids(desk: FuseDesk, options: ExportOptions) -> ExportOptions:
    """The options with ids in place of names: a job is recognized by its filters as they are sent."""
    if not {"department", "rep", "tag"} & options.keys():
        return options
    directory = await desk.directory()
    return cast("ExportOptions", directory.filters(**cast("CaseFilters", options)))


def _query_of(filters: CaseFilters) -> str:
    """The filters as they are sent, in a fixed order.

    Raises:
        TypeError: There is no such filter.
        ConfigurationError: A value cannot be right.
    """
    sent = encode(get("v1/cases", anything, search_query(None, **filters))).query
    return "&".join(sorted(part for part in sent.split("&") if not part.startswith("orderby=")))


def start_of(filters: CaseFilters) -> Bookmark:
    """The bookmark with which a walk through the cases of some filters begins."""
    return Bookmark(None, 0, job_of(get("v1/cases", anything, search_query(None, **filters))))


def _without_local_port(url: str) -> str:
    """The address of an app. A sandbox on this machine has another port each time, and counts as the same app."""
    return re.sub(rf"(?<=//)({'|'.join(map(re.escape, LOOPBACK))}):\d+", r"\1", url)
