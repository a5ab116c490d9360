"""The one mapping between our names and the API's, in both directions.

Where a field is not listed it has the same name on both sides, but for the kinds in `CAMEL_CASE`: there `date_created`
is `dateCreated`, as all of v2 and the chats have it. Second names are duplicates that the server sends beside the
first. A kind is the name of a record, or of a call whose fields go by names of their own.

Where the API's names come from: the parameters of requests about cases from FuseDesk's page on them
(www.fusedesk.com/api/cases); the members of responses, which that page does not show, from FuseDesk's WordPress plugin
and from programs and lists of the API's calls of third parties. Comments say where a name has another source.
"""

from collections.abc import Mapping
from typing import Any

from fusedesk_async.errors import ConfigurationError

_CASE_ID = ("caseid", "id")  # third parties, and that both are the same id

CAMEL_CASE = frozenset({"Chat", "ChatDetail", "Contact", "Department", "NewContact", "Rep", "Webhook"})
"""Kinds whose names are ours in camel case, unless listed for the kind itself."""

_CONTACT = {  # third parties
    "billing_city": "cityBilling",
    "billing_country": "countryBilling",
    "billing_postal_code": "postalBilling",
    "billing_state": "stateBilling",
    "billing_street_1": "street1Billing",
    "billing_street_2": "street2Billing",
    "phone_extension_1": "phoneExt1",
    "phone_extension_2": "phoneExt2",
}

REQUESTS: Mapping[str, str] = {
    "body_limit": "bodylimit",  # third parties
    "company_id": "companyid",
    "contact_id": "contactid",
    "contact_uuid": "contactUuid",  # on update; on create and in searches: a third party
    "created_by_rep": "createdByRep",  # a third party
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
    "template_id": "templateid",  # third parties
}

REQUESTS_OF: Mapping[str, Mapping[str, str]] = {
    "Department": {"rep_user_ids": "repUserIds[]"},  # a third party; PHP's way to name an array
    "NewContact": _CONTACT,
    "many cases": {  # third parties; FuseDesk's page on cases does not show the call
        "crm_automation_id": "crmAutomationId",
        "crm_tag_id": "crmTagId",
        "snooze_until": "snooze",
        "tag_id": "tagid",
    },
}

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "case_number": ("casenum", "casenumber"),  # `casenum`: the plugin; its duplicate: third parties
    "company_id": ("companyid",),
    "contact_id": ("contactid",),
    "contact_uuid": ("contactUuid",),  # a third party
    "date_first_response": ("date_firstresponse",),
    "date_last_response": ("date_lastresponse",),
    "date_received": ("date_recvd",),
    "date_requested_feedback": ("date_requestedfeedback",),
    "department_id": ("departmentid",),  # third parties; in requests it is `depid`
    "is_archived": ("isArchived",),
    "opened_by": ("openedby",),
    "rep_id": ("repid",),
    "sender": ("from",),
}

ANSWERS_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Case": {"id": _CASE_ID},
    "CaseDetail": {"id": _CASE_ID},
    "CaseTag": {"name": ("tagname",), "total_cases": ("totalcases",)},  # the plugin; `totalcases`: a third party
    "Contact": {ours: (name,) for ours, name in _CONTACT.items()},
    "CreatedCase": {"id": _CASE_ID},
    "EmailMessage": {"id": ("id", "emailid")},  # assumed: no source shows an email
    "PoweredBy": {"footer_link": ("footerlink",), "partner_code": ("partnercode",)},  # the plugin
    "Rep": {"id": ("userId",), "rep_record_id": ("repid",)},  # the plugin; `repid`: a third party
    "Webhook": {"id": ("id", "webhookid")},  # assumed: no source shows a webhook
}


def request_name(field: str, kind: str = "") -> str:
    """How a field is called in a request."""
    own = REQUESTS_OF.get(kind, {}).get(field)
    return own or (camel_case(field) if kind in CAMEL_CASE else REQUESTS.get(field, field))


def answer_names(record: type, field: str) -> tuple[str, ...]:
    """How a field of a record may be called in an answer, the usual name first."""
    kind = record.__name__
    if own := ANSWERS_OF.get(kind, {}).get(field):
        return own
    return (camel_case(field),) if kind in CAMEL_CASE else ANSWERS.get(field, (field,))


def camel_case(field: str) -> str:
    """`date_last_login` as `dateLastLogin`."""
    first, *others = field.split("_")
    return first + "".join(other.capitalize() for other in others)


def column_name(record: type, field: str) -> str:
    """How a field of a record is called in `orderby`: as in answers. Columns unknown to us pass through."""
    return answer_names(record, field)[0]


def request_names(fields: Mapping[str, Any], kind: str = "", *, at_least_one: bool = False) -> dict[str, Any]:
    """The fields that are set, under the API's names.

    Raises:
        ConfigurationError: None is set, and at least one should be.
    """
    given = {request_name(field, kind): value for field, value in fields.items() if value is not None}
    if at_least_one and not given:
        message = f"nothing to change: give at least one of {', '.join(fields)}"
        raise ConfigurationError(message)
    return given
