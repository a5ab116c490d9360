"""What a server makes of a date of opening that is asked for, as cases that were surely opened show it."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from fusedesk_async._reconcile.creation_log import Creation, CreationLog
from fusedesk_async._reconcile.match import Opening, opened_at, opened_between
from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async.errors import CannotTellError
from fusedesk_async.models import Case

APART = 3 * 86_400.0
"""Seconds between the date asked for and the time of sending from which on a date that is shown is one or the other."""

DateKeeping: TypeAlias = Literal["kept", "ignored", "neither"]


def date_keeping(
    log: CreationLog, shown: Mapping[int | str, Case], others: Iterable[Creation], ahead: float | None
) -> DateKeeping | None:
    """What the server makes of a date, as far as these cases show it or others have shown it before.

    Args:
        log: What the client has opened; it is noted there.
        shown: Cases that a list has brought, by their ids and by their numbers.
        others: What an earlier process has opened.
        ahead: Seconds that the server's clock is ahead of ours; None if unknown.
    """
    seen: set[DateKeeping] = {
        _of_case(asked, each, shown[key], ahead)
        for each in (*log.creations, *others)
        if (key := next((key for key in each.keys if key in shown), None)) and (asked := asked_apart(each))
    }
    if not seen:
        return "kept" if log.keeps_date_opened else None if log.keeps_date_opened is None else "ignored"
    keeping: DateKeeping = seen.pop() if len(seen) == 1 else "neither"
    log.keeps_date_opened, log.took_over = keeps_date(keeping), False
    return keeping


def keeps_date(keeping: DateKeeping | None) -> bool | None:
    """Whether the server keeps a date; None if that is unknown or differs."""
    return None if keeping in {None, "neither"} else keeping == "kept"


def asked_apart(creation: Creation) -> Opening | None:
    """The date that was asked for; None if it is too near to the time of sending to be told from it."""
    try:
        asked = opened_at(creation.date_opened) if creation.date_opened else None
    except CannotTellError:
        return None
    apart = asked and (asked.latest < creation.earliest - APART or asked.earliest > creation.latest + APART)
    return asked if apart else None


def _of_case(asked: Opening, creation: Creation, case: Case, ahead: float | None) -> DateKeeping:
    if case.date_opened and asked.verdict(case.date_opened):
        return "kept"
    received = opened_between(creation.earliest, creation.latest, ahead)
    return "ignored" if received.verdict(case.date_opened) is Verdict.SAME else "neither"
