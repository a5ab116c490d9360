"""The records of the API: what one reads (`Case`, `Note` …) and what one writes (`NewCase`, `NewNote` …).

Those that not every program needs are loaded when they are first asked for, as making their classes takes time.
"""

from typing import TYPE_CHECKING

from fusedesk_async.models._record import OddField, Record
from fusedesk_async.models.case import Case, CaseDetail, CreatedCase
from fusedesk_async.models.history import Email, HistoryItem, Note
from fusedesk_async.models.new import NewCase, NewEmail, NewHistoryItem, NewNote
from fusedesk_async.models.session import Access, Acknowledgement

__all__ = [
    "Access",
    "Acknowledgement",
    "Case",
    "CaseDetail",
    "CaseFeedback",
    "CaseTag",
    "Chat",
    "ChatDetail",
    "Contact",
    "ContactFields",
    "Created",
    "CreatedCase",
    "Department",
    "Directory",
    "Email",
    "EmailMessage",
    "HistoryItem",
    "Integration",
    "NewCase",
    "NewContact",
    "NewEmail",
    "NewHistoryItem",
    "NewNote",
    "Note",
    "OddField",
    "PoweredBy",
    "Record",
    "Rep",
    "Webhook",
]

if TYPE_CHECKING:
    from fusedesk_async.models.account import Integration, PoweredBy
    from fusedesk_async.models.case_tag import CaseTag
    from fusedesk_async.models.chat import Chat, ChatDetail
    from fusedesk_async.models.contact import Contact, ContactFields, NewContact
    from fusedesk_async.models.created import Created
    from fusedesk_async.models.department import Department
    from fusedesk_async.models.directory import Directory
    from fusedesk_async.models.email import EmailMessage
    from fusedesk_async.models.feedback import CaseFeedback
    from fusedesk_async.models.rep import Rep
    from fusedesk_async.models.webhook import Webhook
else:
    from fusedesk_async._exports import lazily

    __getattr__ = lazily(
        __name__,
        {
            "CaseFeedback": "fusedesk_async.models.feedback",
            "CaseTag": "fusedesk_async.models.case_tag",
            "Chat": "fusedesk_async.models.chat",
            "ChatDetail": "fusedesk_async.models.chat",
            "Contact": "fusedesk_async.models.contact",
            "ContactFields": "fusedesk_async.models.contact",
            "Created": "fusedesk_async.models.created",
            "Department": "fusedesk_async.models.department",
            "Directory": "fusedesk_async.models.directory",
            "EmailMessage": "fusedesk_async.models.email",
            "Integration": "fusedesk_async.models.account",
            "NewContact": "fusedesk_async.models.contact",
            "PoweredBy": "fusedesk_async.models.account",
            "Rep": "fusedesk_async.models.rep",
            "Webhook": "fusedesk_async.models.webhook",
        },
    )
