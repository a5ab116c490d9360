"""Which of the cases that were found belongs to which of the rows that were looked for."""

from collections.abc import Hashable, Sequence

import attrs

from fusedesk_async._reconcile.found import Found
from fusedesk_async._reconcile.match import Wanted
from fusedesk_async.errors import CannotTellError
from fusedesk_async.models import Case


def assign(wants: Sequence[Wanted], found: Sequence[Found]) -> list[Case | CannotTellError | None]:
    """The case of each row, None if it was certainly not opened, or the reason why that is unknown.

    Rows that are equal in all share the cases that are equal in all: any of them may stand for any row, as long as
    there are no more cases than rows. A case that fits rows which differ is nobody's.
    """
    results: list[Case | CannotTellError | None] = [None] * len(wants)
    groups: dict[Hashable, list[int]] = {}
    for row, want in enumerate(wants):
        groups.setdefault(_key(want), []).append(row)
    claimed = _claimed([found[rows[0]] for rows in groups.values()])
    taken: set[int] = set()
    for rows in groups.values():
        same = found[rows[0]].same
        if len(same) <= len(rows) and all(claimed[case.id] == 1 for case in same):
            for row, case in zip(rows, same, strict=False):
                results[row] = case
                taken.add(case.id)
    for row, each in enumerate(found):
        if results[row] is None:
            results[row] = _reason(_without(each, taken))
    return results


def _key(want: Wanted) -> Hashable:
    return tuple(sorted(want.texts.items())), tuple(sorted(want.links.items())), want.tags, want.asked or want.received


def _claimed(found: Sequence[Found]) -> dict[int, int]:
    """By how many kinds of rows each case is claimed."""
    times: dict[int, int] = {}
    for each in found:
        for case in each.same:
            times[case.id] = times.get(case.id, 0) + 1
    return times


def _without(found: Found, taken: set[int]) -> Found:
    """What is left, all of it in doubt, once cases have gone to other rows."""
    left = [case for case in (*found.same, *found.doubtful) if case.id not in taken]
    return attrs.evolve(found, same=[], doubtful=left)


def _reason(found: Found) -> CannotTellError | None:
    try:
        found.the_one()
    except CannotTellError as error:
        return error
    return None
