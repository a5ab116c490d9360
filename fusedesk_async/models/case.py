"""Cases, as a search lists them and as a single request shows them."""

from datetime import datetime
from typing import Any

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record
from fusedesk_async.models.history import HistoryItem


@public
@attrs.frozen(kw_only=True)
class Case(Record):
    """A case as a search lists it.

    A date is a datetime with the offset the server gave (naive if it gave none), and None where the API says
    `false`, `""`, `null` or `0000-00-00 00:00:00`.

    Attributes:
        id: The record id that all calls want (`caseid`, sent again as `id`).
        case_number: What people see, such as `ABCD1234` (`casenum`, sent again as `casenumber`).
        contact_id: The contact's id in the CRM (`contactid`).
        contact_uuid: The contact's id in FuseDesk (`contactUuid`).
        company_id: The company's id in the CRM (`companyid`).
        rep_id: The user id of the rep, `Rep.user_id` (`repid`).
        department_id: `departmentid` in answers, `depid` in requests.
        summary: The title.
        details: The text; may hold tabs and line breaks.
        opened_by: A name, an address, a number … (`openedby`).
        status: `new`, `open`, `closed`, or a text not known today.
        date_opened: When it was opened.
        date_assigned: When a rep got it.
        date_first_response: When a rep first answered (`date_firstresponse`).
        date_last_response: When a rep last answered (`date_lastresponse`).
        date_updated: When anything last changed.
        date_closed: When it was closed.
        date_rated: When the customer rated it.
        date_requested_feedback: When the customer was asked to (`date_requestedfeedback`).
        rating: As it came, a number or a text; None for `false`, `""` and `null`.
        feedback: Likewise.
        tags: Ids of the case's tags.
        is_archived: Whether it is archived (`isArchived`).
    """

    id: int
    case_number: str | None = None
    contact_id: int | None = None
    contact_uuid: str | None = None
    company_id: int | None = None
    rep_id: int | None = None
    department_id: int | None = None
    summary: str | None = None
    details: str | None = None
    opened_by: str | None = None
    status: str | None = None
    date_opened: datetime | None = None
    date_assigned: datetime | None = None
    date_first_response: datetime | None = None
    date_last_response: datetime | None = None
    date_updated: datetime | None = None
    date_closed: datetime | None = None
    date_rated: datetime | None = None
    date_requested_feedback: datetime | None = None
    rating: Any = None
    feedback: Any = None
    tags: tuple[int, ...] = ()
    is_archived: bool | None = None


@public
@attrs.frozen(kw_only=True)
class CaseDetail(Case):
    """A case with its history.

    Attributes:
        history: Notes, calls and emails in the order the server sent them; kinds unknown today as `HistoryItem`.
            No public source shows under which names the server sends them, so all likely ones are read.
    """

    history: tuple[HistoryItem, ...] = ()


@public
@attrs.frozen(kw_only=True)
class CreatedCase(Record):
    """What the server says of a case it has just opened.

    Attributes:
        case_number: The number people see. It is the one member that is certain to come.
        id: The record id; None if the server does not tell, which no public source settles.
    """

    case_number: str
    id: int | None = None
