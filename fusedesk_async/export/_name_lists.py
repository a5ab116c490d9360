"""What cases refer to by ids: departments, reps and tags, which databases get as tables of their own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async.errors import FuseDeskError, RateLimitError
from fusedesk_async.export._columns import Encoders, Table
from fusedesk_async.models import CaseTag, Department, Record, Rep

TABLES: Mapping[str, type[Record]] = {"departments": Department, "reps": Rep, "tag_names": CaseTag}
"""The tables, by their names; those of the cases' tags are in `tags` already."""
KEYS: Mapping[str, str] = {"departments": "id", "reps": "user_id", "tag_names": "id"}
"""The column of each of them that others refer to."""
CALLS = len(TABLES)
"""One for each list."""
_NEVER_EMPTY = ("departments", "reps")
"""Each account has some, archived and disabled ones included; tags there may be none."""


@attrs.frozen
class NameLists:
    """The lists as they were fetched.

    Attributes:
        records: The records, by the names of the tables; only of the lists that came.
        missing: Which lists did not come, each with the reason.
    """

    records: Mapping[str, Sequence[Record]]
    missing: tuple[str, ...] = ()


async def fetch_name_lists(desk: FuseDesk) -> NameLists:
    """Fetch the three lists, one call each; what is refused or empty is left out, since the cases are there without it.

    Raises:
        RateLimitError: The quota is used up and the client does not wait: the same export goes on later.
    """
    calls: Mapping[str, Callable[[], Awaitable[Sequence[Record]]]] = {
        "departments": desk.departments.all,
        "reps": desk.reps.all,
        "tag_names": desk.case_tags.all,
    }
    records, missing = dict[str, Sequence[Record]](), list[str]()
    for table, fetch in calls.items():
        try:
            found = await fetch()
        except RateLimitError:
            raise
        except FuseDeskError as error:
            missing.append(f"{table}: {error}")
        else:
            if found:  # one response that says nothing proves nothing, so what was there stays
                records[table] = found
            elif table in _NEVER_EMPTY:
                missing.append(f"{table}: no record came that can be read")
    return NameLists(records, tuple(missing))


def name_tables(encoders: Encoders) -> Mapping[str, Table]:
    """The columns of the tables, by their names."""
    return {name: Table([record], encoders) for name, record in TABLES.items()}


def by_key(table: str, records: Sequence[Record]) -> list[Record]:
    """Records with one for each key: the last, if a list names one twice."""
    return [*{getattr(record, KEYS[table]): record for record in records}.values()]
