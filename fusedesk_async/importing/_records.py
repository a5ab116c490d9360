"""A record as FuseDesk sent it, such as a line of an export, as the case to open.

What a new case cannot say is left out: number, first response, closing date, rating, feedback. What the API wants and
a stored record may lack, such as the subject of an email, is filled with a word in brackets.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from fusedesk_async._json import JSONText
from fusedesk_async._text import plain
from fusedesk_async._wire.converter import structure
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import CaseDetail, Email, HistoryItem, NewCase, NewEmail, NewHistoryItem, NewNote, Note

NO_TEXT, NO_SUBJECT, UNKNOWN = "(no text)", "(no subject)", "(unknown)"

_RECORD_MEMBERS = frozenset({"caseid", "casenum", "casenumber", "departmentid", "openedby"})
_ROW_MEMBERS = frozenset({"department_id", "opened_by", "source_id"})


class RecordError(Exception):
    """A record that cannot be made into a new case; the text says why."""


def is_record(members: Mapping[str, Any]) -> bool:
    """Whether the names are FuseDesk's own rather than ours."""
    return not _RECORD_MEMBERS.isdisjoint(members) and _ROW_MEMBERS.isdisjoint(members)


def case_of_record(source: bytes) -> tuple[str, NewCase]:
    """The record's id, and the case to open.

    Args:
        source: The JSON text of the record.

    Raises:
        RecordError: It cannot be read, or part of its history cannot.
    """
    troubles: list[UnexpectedResponseError] = []

    def note_trouble(error: UnexpectedResponseError) -> UnexpectedResponseError:
        troubles.append(error)
        return error

    try:
        case = structure(CaseDetail, JSONText(source), note_trouble)
    except UnexpectedResponseError as error:
        troubles.append(error)
        case = None
    if troubles or case is None:
        message = f"{troubles[0].message} at {troubles[0].path}"
        raise RecordError(message)
    if case.department_id is None:
        message = "the record has no departmentid"
        raise RecordError(message)
    return str(case.id), _new_case(case, case.department_id)


def _new_case(case: CaseDetail, department: int) -> NewCase:
    history = tuple(_new_item(position, item) for position, item in enumerate(case.history))
    details = _text_or(case.details, NO_TEXT)
    texts = {plain(item.note if isinstance(item, NewNote) else item.body) for item in history}
    return NewCase(
        department_id=department,
        summary=_text_or(case.summary, NO_SUBJECT),
        details=details,
        opened_by=_text_or(case.opened_by, UNKNOWN),
        date_opened=_day(case.date_opened),
        date_assigned=_day(case.date_assigned),
        date_updated=_day(case.date_updated),
        status=case.status or None,
        rep_id=case.rep_id or None,  # PHP may say 0 for nobody
        contact_id=case.contact_id or None,
        contact_uuid=None if case.contact_id else case.contact_uuid or None,
        company_id=case.company_id or None,
        type="import" if plain(details) in texts else None,
        history=history,
        tags=case.tags,
    )


def _new_item(position: int, item: HistoryItem) -> NewHistoryItem:
    match item:
        case Note():
            kind = cast("Any", item.type)
            title = _text_or(item.title, item.type.capitalize())
            return NewNote(title=title, note=_text_or(item.note, title), type=kind, date_added=_day(item.date_added))
        case Email():
            return NewEmail(
                to=_text_or(item.to, UNKNOWN),
                sender=_text_or(item.sender, UNKNOWN),
                subject=_text_or(item.subject, NO_SUBJECT),
                body=_text_or(item.body, NO_TEXT),
                cc=item.cc or None,
                bcc=item.bcc or None,
                date_sent=_day(item.date_sent),
                date_received=_day(item.date_received),
                rep_id=item.rep_id or None,
            )
        case _:
            message = f"element {position} of the history is of a kind that cannot be imported: {item.type!r:.40}"
            raise RecordError(message)


def _text_or(text: str | None, default: str) -> str:
    return text if text and text.strip() else default


def _day(moment: datetime | None) -> datetime | str | None:
    """A date without offset goes back as the server wrote it, to be read in the server's zone."""
    return moment.isoformat(sep=" ") if moment is not None and moment.tzinfo is None else moment
