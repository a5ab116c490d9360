"""An async Python client for FuseDesk that stays inside the hourly quota, loses no record and repeats no write.

Docstrings say where the behaviour of the server is known from: "seed page" is FuseDesk's own page on the API of cases,
"plugin" its WordPress plugin, "third-party source" a program or list of calls by somebody else; "assumed" is what no
source shows.

Records, and what lists and walks are made of, are loaded with the first client or when they are first asked for:
making their classes takes longer than all else here.
"""

from typing import TYPE_CHECKING

from fusedesk_async._client import FuseDesk
from fusedesk_async._clock import Clock
from fusedesk_async._events import (
    CallAnswered,
    CallEnded,
    CallLost,
    CallRetried,
    CallStarted,
    Event,
    Observer,
    Observers,
    QuotaStoreBack,
    QuotaStoreLost,
    QuotaWait,
    QuotaWaitOver,
)
from fusedesk_async._http.retry import JitteredBackoff, RetryPolicy
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async._ratelimit.limiter import RateLimiter
from fusedesk_async._ratelimit.queues import Permit, Slots, WaitPolicy
from fusedesk_async._version import __version__
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.profile import ServerProfile
from fusedesk_async.errors import (
    AnswerLostError,
    APIError,
    AuthenticationError,
    CannotTellError,
    ConfigurationError,
    ExportError,
    FuseDeskError,
    FuseDeskWarning,
    NameLookupError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    PaginationError,
    PermissionDeniedError,
    RateLimitError,
    Request,
    RequestRejectedError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)
from fusedesk_async.filters import CaseFilters, DateFilter, KnownStatus, Order, after, asc, before, between, desc, on

__all__ = [
    "APIError",
    "Access",
    "Acknowledgement",
    "Allowance",
    "Answer",
    "AnswerLostError",
    "AuthenticationError",
    "Bookmark",
    "CallAnswered",
    "CallEnded",
    "CallLost",
    "CallRetried",
    "CallStarted",
    "CannotTellError",
    "Case",
    "CaseDetail",
    "CaseFeedback",
    "CaseFilters",
    "CaseTag",
    "Chat",
    "ChatDetail",
    "Clock",
    "ConfigurationError",
    "Contact",
    "ContactFields",
    "Created",
    "CreatedCase",
    "DateFilter",
    "Department",
    "Directory",
    "Email",
    "EmailMessage",
    "Estimate",
    "Event",
    "ExportError",
    "FuseDesk",
    "FuseDeskError",
    "FuseDeskWarning",
    "HistoryItem",
    "Integration",
    "JitteredBackoff",
    "KnownStatus",
    "Limiter",
    "Lookup",
    "NameLookupError",
    "NewCase",
    "NewContact",
    "NewEmail",
    "NewHistoryItem",
    "NewNote",
    "NotFoundError",
    "NotSentError",
    "Note",
    "Observer",
    "Observers",
    "OddField",
    "Order",
    "OutcomeUnknownError",
    "Page",
    "Pages",
    "PaginationError",
    "PermissionDeniedError",
    "Permit",
    "PoweredBy",
    "QuotaStoreBack",
    "QuotaStoreLost",
    "QuotaWait",
    "QuotaWaitOver",
    "RateLimitError",
    "RateLimiter",
    "Record",
    "Rep",
    "Request",
    "RequestRejectedError",
    "RetryPolicy",
    "ServerError",
    "ServerProfile",
    "Slots",
    "TransportError",
    "UnexpectedResponseError",
    "UnreadableRow",
    "WaitPolicy",
    "Walk",
    "WalkReport",
    "Webhook",
    "__version__",
    "after",
    "asc",
    "before",
    "between",
    "desc",
    "on",
]

if TYPE_CHECKING:
    from fusedesk_async._pagination.bookmark import Bookmark
    from fusedesk_async._pagination.lookup import Lookup
    from fusedesk_async._pagination.page import Page
    from fusedesk_async._pagination.pages import Pages
    from fusedesk_async._pagination.unreadable import UnreadableRow
    from fusedesk_async._pagination.walk import Walk, WalkReport
    from fusedesk_async._ratelimit.protocol import Limiter
    from fusedesk_async.models import *
else:
    from fusedesk_async._exports import lazily as _lazily

    _LATER = {
        "Bookmark": "fusedesk_async._pagination.bookmark",
        "Limiter": "fusedesk_async._ratelimit.protocol",
        "Lookup": "fusedesk_async._pagination.lookup",
        "Page": "fusedesk_async._pagination.page",
        "Pages": "fusedesk_async._pagination.pages",
        "UnreadableRow": "fusedesk_async._pagination.unreadable",
        "Walk": "fusedesk_async._pagination.walk",
        "WalkReport": "fusedesk_async._pagination.walk",
        "models": "fusedesk_async.models",
    }
    _MODELS = [name for name in __all__ if name not in globals() and name not in _LATER]
    _LATER |= dict.fromkeys(_MODELS, "fusedesk_async.models")
    __getattr__ = _lazily(__name__, _LATER)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
