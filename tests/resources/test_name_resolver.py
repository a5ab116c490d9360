"""Names found, not found, and found several times."""

import pickle
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import (
    CaseTag,
    ConfigurationError,
    Department,
    Directory,
    NameLookupError,
    PermissionDeniedError,
    Rep,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIRECTORY = Directory(
    departments=(
        Department(id=1, name="Billing", date_archived=NOON),
        Department(id=2, name="Billing"),
        Department(id=3, name="Old Returns", date_archived=NOON),
        Department(id=4, name=None),
    ),
    reps=(
        Rep(user_id=5, first_name="Marta", last_name="Lindgren", email_address="marta@acme.example", username="ml"),
        Rep(user_id=6, first_name="Jo", last_name="Smith", email_address="jo@acme.example"),
        Rep(user_id=7, first_name="Jo", last_name="Smith", email_address="jo.smith@acme.example", username="jo2"),
        Rep(user_id=8, first_name="Martin", last_name="Lindgren", active=False),
        Rep(user_id=9, first_name="Ann", last_name="Lee", is_archived=True),
        Rep(user_id=10, first_name="Ann", last_name="Lee", active=False),
        Rep(user_id=11),
    ),
    tags=(CaseTag(id=1, name="refund", hidden=True), CaseTag(id=2, name="VIP")),
)


@pytest.mark.parametrize(
    ("find", "name", "found"),
    [
        ("department", "billing", 2),
        ("department", " Billing\n", 2),
        ("department", "old  returns", 3),
        ("rep", "Marta Lindgren", 5),
        ("rep", "MARTA@acme.example", 5),
        ("rep", "ml", 5),
        ("rep", "jo2", 7),
        ("rep", "Martin Lindgren", 8),
        ("tag", "Refund", 1),
        ("tag", "vip", 2),
    ],
)
def test_a_name_is_found_and_what_is_in_use_goes_first(find, name, found):
    record = getattr(DIRECTORY, find)(name)
    assert getattr(record, "user_id", None) or record.id == found


@pytest.mark.parametrize(
    ("find", "name", "near"),
    [
        ("department", "Biling", ("Billing (archived)", "Billing")[::-1]),
        ("department", "returns", ("Old Returns (archived)",)),
        ("department", "xyz", ()),
        ("rep", "Lindgren", ("Marta Lindgren", "Martin Lindgren (disabled)")),
        ("rep", "marta@", ("Marta Lindgren",)),
        ("tag", "refunds", ("refund (hidden)",)),
        ("tag", "", ()),
    ],
)
def test_a_name_that_nothing_has_is_told_with_similar_ones(find, name, near):
    with pytest.raises(NameLookupError) as caught:
        getattr(DIRECTORY, find)(name)
    error = caught.value
    assert isinstance(error, ConfigurationError)
    assert isinstance(error, LookupError)
    assert (error.kind, error.name, error.near) == (find, name, near)
    assert str(error).startswith(f"no {find} is called {name!r}; ")
    assert all(repr(one) in str(error) for one in near)
    assert pickle.loads(pickle.dumps(error)).near == near


def test_a_name_that_several_have_is_told_with_what_tells_them_apart():
    with pytest.raises(NameLookupError) as caught:
        DIRECTORY.rep("Jo Smith")
    assert str(caught.value) == (
        "2 reps are called 'Jo Smith', so give an id: Jo Smith [user id 6, jo@acme.example]; "
        "Jo Smith [user id 7, jo.smith@acme.example, jo2]"
    )
    with pytest.raises(NameLookupError) as caught:
        DIRECTORY.rep("ann lee")
    assert caught.value.near == ("Ann Lee (archived) [user id 9]", "Ann Lee (disabled) [user id 10]")


def test_what_the_key_may_not_read_is_refused_when_it_is_asked():
    refusal = PermissionDeniedError("Not Authorized", None, 403, "api_error_noscope", scope="reps")
    directory = Directory(departments=DIRECTORY.departments, denied={"rep": refusal})
    assert directory.department("Billing").id == 2
    for _ in range(2):
        with pytest.raises(PermissionDeniedError) as caught:
            directory.rep("Marta Lindgren")
        assert caught.value.scope == "reps"
        assert caught.value is not refusal


def test_filters_by_name_become_filters_by_id():
    assert DIRECTORY.filters(department="billing", rep="ml", tag="VIP", status="open") == {
        "department_id": 2,
        "rep_id": 5,
        "tag_id": 2,
        "status": "open",
    }
    assert DIRECTORY.filters(department_id=4) == {"department_id": 4}
    with pytest.raises(NameLookupError):
        DIRECTORY.filters(rep="nobody")
    with pytest.raises(ConfigurationError, match="give rep or rep_id, not both"):
        DIRECTORY.filters(rep="ml", rep_id=3)


@given(st.text(), st.sampled_from(["department", "rep", "tag"]))
def test_any_text_is_looked_up_without_another_error(name, find):
    with suppress(NameLookupError):
        record = getattr(DIRECTORY, find)(name)
        assert record in (*DIRECTORY.departments, *DIRECTORY.reps, *DIRECTORY.tags)
