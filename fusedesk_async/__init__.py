"""An async Python client for FuseDesk that stays inside the hourly quota, loses no record and repeats no write."""

from typing import TYPE_CHECKING

from fusedesk_async._allowance import Allowance
from fusedesk_async._bookmark import Bookmark
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
    QuotaWait,
    QuotaWaitOver,
)
from fusedesk_async._lookup import Lookup
from fusedesk_async._pagination import Pages
from fusedesk_async._plans import Page
from fusedesk_async._ratelimit import RateLimiter
from fusedesk_async._retry import JitteredBackoff, RetryPolicy
from fusedesk_async._version import __version__
from fusedesk_async._walk import Walk, WalkReport
from fusedesk_async.errors import (
    AnswerLostError,
    APIError,
    AuthenticationError,
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
from fusedesk_async.models import (
    Access,
    Acknowledgement,
    Case,
    CaseDetail,
    CreatedCase,
    Email,
    HistoryItem,
    NewCase,
    NewEmail,
    NewHistoryItem,
    NewNote,
    Note,
    Record,
)

__all__ = [
    "APIError",
    "Access",
    "Acknowledgement",
    "Allowance",
    "AnswerLostError",
    "AuthenticationError",
    "Bookmark",
    "CallAnswered",
    "CallEnded",
    "CallLost",
    "CallRetried",
    "CallStarted",
    "Case",
    "CaseDetail",
    "CaseFilters",
    "CaseTag",
    "Clock",
    "ConfigurationError",
    "Created",
    "CreatedCase",
    "DateFilter",
    "Department",
    "Directory",
    "Email",
    "Event",
    "ExportError",
    "FuseDesk",
    "FuseDeskError",
    "FuseDeskWarning",
    "HistoryItem",
    "JitteredBackoff",
    "KnownStatus",
    "Lookup",
    "NameLookupError",
    "NewCase",
    "NewEmail",
    "NewHistoryItem",
    "NewNote",
    "NotFoundError",
    "NotSentError",
    "Note",
    "Observer",
    "Order",
    "OutcomeUnknownError",
    "Page",
    "Pages",
    "PaginationError",
    "PermissionDeniedError",
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
    "TransportError",
    "UnexpectedResponseError",
    "Walk",
    "WalkReport",
    "__version__",
    "after",
    "asc",
    "before",
    "between",
    "desc",
    "on",
]

if TYPE_CHECKING:
    from fusedesk_async.models import CaseTag, Created, Department, Directory, Rep
else:
    from fusedesk_async._lazy import lazily as _lazily

    _LATER = ("CaseTag", "Created", "Department", "Directory", "Rep")
    __getattr__ = _lazily(__name__, dict.fromkeys(_LATER, "fusedesk_async.models"))
