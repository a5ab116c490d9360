"""Our names and the API's, in both directions."""

import attrs
import pytest

from fusedesk_async import models
from fusedesk_async._wire.field_names import (
    ANSWERS_OF,
    CAMEL_CASE,
    REQUESTS_OF,
    answer_names,
    column_name,
    request_name,
    request_names,
)
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models import Case, CaseDetail, Contact, CreatedCase, Email, HistoryItem, Note, Rep


def test_a_department_is_called_differently_in_requests_and_answers() -> None:
    assert request_name("department_id") == "depid"
    assert answer_names(Case, "department_id") == ("departmentid",)


@pytest.mark.parametrize("record", [Case, CaseDetail, CreatedCase])
def test_the_record_id_of_a_case_has_two_names(record: type) -> None:
    assert answer_names(record, "id") == ("caseid", "id")
    assert answer_names(record, "case_number") == ("casenum", "casenumber")


@pytest.mark.parametrize("record", [HistoryItem, Note, Email])
def test_other_ids_have_one(record: type) -> None:
    assert answer_names(record, "id") == ("id",)


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("id", "caseid"),
        ("caseid", "caseid"),
        ("case_number", "casenum"),
        ("contact_id", "contactid"),
        ("status", "status"),
        ("date_first_response", "date_firstresponse"),
        ("date_last_response", "date_lastresponse"),
        ("date_requested_feedback", "date_requestedfeedback"),
        ("is_archived", "isArchived"),
        ("date_resolved", "date_resolved"),
        ("date_created", "date_created"),
        ("brand_new", "brand_new"),
    ],
)
def test_columns_are_named_by_field_or_as_the_api_does(field: str, column: str) -> None:
    assert column_name(Case, field) == column


def test_what_is_set_goes_under_the_apis_names() -> None:
    given = {"rep_id": 5, "department_id": 0, "status": "", "contact_uuid": None, "new_field": False}
    assert request_names(given) == {"repid": 5, "depid": 0, "status": "", "new_field": False}


def test_a_change_of_nothing_is_refused() -> None:
    assert request_names({"rep_id": None}) == {}
    with pytest.raises(ConfigurationError, match="at least one of rep_id, department_id"):
        request_names({"rep_id": None, "department_id": None}, at_least_one=True)


def test_every_kind_is_a_record_or_a_call_and_every_name_listed_for_it_one_of_its_fields() -> None:
    kinds = CAMEL_CASE | set(ANSWERS_OF) | set(REQUESTS_OF)
    assert kinds - {"many cases"} <= set(models.__all__)
    for kind, fields in [*ANSWERS_OF.items(), *REQUESTS_OF.items()]:
        if kind != "many cases":
            known = {field.name for field in attrs.fields(getattr(models, kind))}
            assert set(fields) <= known | {"id"}, kind


@pytest.mark.parametrize(
    ("field", "name"),
    [("id", "id"), ("date_last_login", "dateLastLogin"), ("phone_1", "phone1"), ("email_address_2", "emailAddress2")],
)
def test_whole_kinds_are_in_camel_case(field: str, name: str) -> None:
    assert request_name(field, "NewContact") == name
    assert answer_names(Contact, field) == (name,)


def test_a_field_may_have_another_name_in_each_call() -> None:
    assert [request_name("tag_id", kind) for kind in ("", "many cases")] == ["casetag", "tagid"]
    assert [request_name("department_id", kind) for kind in ("", "Chat")] == ["depid", "departmentId"]
    assert answer_names(Rep, "rep_record_id") == ("repid",)
    assert answer_names(Case, "rep_id") == ("repid",)
