"""The records of the API: what one reads (`Case`, `Note` …) and what one writes (`NewCase`, `NewNote` …)."""

from fusedesk_async.models._record import Record
from fusedesk_async.models.case import Case, CaseDetail, CreatedCase
from fusedesk_async.models.history import Email, HistoryItem, Note
from fusedesk_async.models.new import NewCase, NewEmail, NewHistoryItem, NewNote
from fusedesk_async.models.session import Access, Acknowledgement

__all__ = [
    "Access",
    "Acknowledgement",
    "Case",
    "CaseDetail",
    "CreatedCase",
    "Email",
    "HistoryItem",
    "NewCase",
    "NewEmail",
    "NewHistoryItem",
    "NewNote",
    "Note",
    "Record",
]
