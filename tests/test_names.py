import pytest

from fusedesk_async._names import answer_names, column_name, request_name, request_names
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models import Case, CaseDetail, CreatedCase, Email, HistoryItem, Note


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
