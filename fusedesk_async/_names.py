"""The one mapping between our names and the API's, in both directions.

Where a field is not listed it has the same name on both sides. The API's names come from the seed pages; the second
names in `ANSWERS` are duplicates that the server sends beside the first.
"""

from collections.abc import Mapping
from typing import Any

from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models import Case, CaseDetail, CreatedCase

_CASE_ID = ("caseid", "id")

REQUESTS: Mapping[str, str] = {
    "company_id": "companyid",
    "contact_id": "contactid",
    "contact_uuid": "contactUuid",
    "created_by_rep": "createdByRep",
    "date_first_response": "date_firstresponse",
    "date_last_response": "date_lastresponse",
    "date_received": "date_recvd",
    "department_id": "depid",
    "opened_by": "openedby",
    "rep_id": "repid",
    "sender": "from",
    "skip_infusionsoft": "skipinfusionsoft",
    "tag_id": "casetag",
    "tags": "casetags",
    "template_id": "templateid",
}

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "case_number": ("casenum", "casenumber"),
    "company_id": ("companyid",),
    "contact_id": ("contactid",),
    "contact_uuid": ("contactUuid",),
    "date_first_response": ("date_firstresponse",),
    "date_last_response": ("date_lastresponse",),
    "date_received": ("date_recvd",),
    "date_requested_feedback": ("date_requestedfeedback",),
    "department_id": ("departmentid",),
    "is_archived": ("isArchived",),
    "opened_by": ("openedby",),
    "rep_id": ("repid",),
    "sender": ("from",),
}

ANSWERS_OF: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    Case: {"id": _CASE_ID},
    CaseDetail: {"id": _CASE_ID},
    CreatedCase: {"id": _CASE_ID},
}


def request_name(field: str) -> str:
    """How a field is called in a request."""
    return REQUESTS.get(field, field)


def answer_names(record: type, field: str) -> tuple[str, ...]:
    """How a field of a record may be called in an answer, the usual name first."""
    return ANSWERS_OF.get(record, {}).get(field) or ANSWERS.get(field, (field,))


def column_name(field: str) -> str:
    """How a field of a case is called in `orderby`: as in answers. Columns unknown to us pass through."""
    return answer_names(Case, field)[0]


def request_names(fields: Mapping[str, Any], *, at_least_one: bool = False) -> dict[str, Any]:
    """The fields that are set, under the API's names.

    Raises:
        ConfigurationError: None is set, and at least one should be.
    """
    given = {request_name(field): value for field, value in fields.items() if value is not None}
    if at_least_one and not given:
        message = f"nothing to change: give at least one of {', '.join(fields)}"
        raise ConfigurationError(message)
    return given
