"""The records of the API: what one reads (`Case`, `Note` …) and what one writes (`NewCase`, `NewNote` …).

Those that not every program needs are loaded when they are first asked for, as making their classes takes time.
"""

from typing import TYPE_CHECKING

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
    "CaseTag",
    "Created",
    "CreatedCase",
    "Department",
    "Directory",
    "Email",
    "HistoryItem",
    "NewCase",
    "NewEmail",
    "NewHistoryItem",
    "NewNote",
    "Note",
    "Record",
    "Rep",
]

if TYPE_CHECKING:
    from fusedesk_async.models.case_tag import CaseTag
    from fusedesk_async.models.created import Created
    from fusedesk_async.models.department import Department
    from fusedesk_async.models.directory import Directory
    from fusedesk_async.models.rep import Rep
else:
    from fusedesk_async._lazy import lazily

    __getattr__ = lazily(
        __name__,
        {
            "CaseTag": "fusedesk_async.models.case_tag",
            "Created": "fusedesk_async.models.created",
            "Department": "fusedesk_async.models.department",
            "Directory": "fusedesk_async.models.directory",
            "Rep": "fusedesk_async.models.rep",
        },
    )
