"""Whether a stored case is the one that was asked for."""

import html
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import CannotTellError, Case
from fusedesk_async._reconcile.match import Opening, opened_at, opened_between, wanted
from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async._text import plain

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = "The parcel was left with a neighbour whom nobody knows, and the door in the photo is green."
FIELDS = {
    "depid": "3",
    "summary": "Login fails",
    "details": LONG,
    "openedby": "jo@mail.example",
    "contactid": "99",
    "casetags": "5,vip,7",
    "date_opened": "2026-03-01T12:00:00+00:00",
}
STORED = Case(
    id=8,
    department_id=3,
    summary="Login fails",
    details=LONG,
    opened_by="jo@mail.example",
    contact_id=99,
    tags=(5, 7, 9),
    rep_id=12,
    date_opened=NOON,
    date_updated=NOON,
)
LONG_AGO = opened_between(0.0, 0.0, None)
WANTED = wanted(FIELDS, LONG_AGO)
zones = st.integers(-56, 56).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def verdict(**changes):
    return WANTED.verdict(attrs.evolve(STORED, **changes))


def test_the_same_is_the_same_whoever_got_it():
    assert verdict() is Verdict.SAME
    assert verdict(rep_id=None) is Verdict.SAME


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"summary": " Login\t fails\r\n"}, Verdict.SAME),
        ({"details": LONG.replace("a", "&#97;")}, Verdict.SAME),
        ({"details": None}, Verdict.SAME),
        ({"details": LONG[:60]}, Verdict.DOUBTFUL),
        ({"details": f"{LONG} Sent by a form."}, Verdict.DOUBTFUL),
        ({"summary": "login fails!"}, Verdict.DOUBTFUL),
        ({"summary": None}, Verdict.DOUBTFUL),
        ({"summary": "Login"}, Verdict.DOUBTFUL),
        ({"summary": "L"}, Verdict.DOUBTFUL),
        ({"summary": "Logout"}, Verdict.OTHER),
        ({"details": "something else"}, Verdict.OTHER),
        ({"opened_by": "jo@mail.invalid"}, Verdict.OTHER),
    ],
)
def test_texts_may_differ_in_what_storing_them_changes(changes, expected):
    assert verdict(**changes) is expected


LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"department_id": 4}, Verdict.OTHER),
        ({"department_id": 4, "date_updated": LATER}, Verdict.DOUBTFUL),
        ({"department_id": 4, "date_updated": None}, Verdict.DOUBTFUL),
        ({"contact_id": 98}, Verdict.OTHER),
        ({"contact_id": None}, Verdict.DOUBTFUL),
        ({"contact_id": 98, "date_updated": LATER}, Verdict.DOUBTFUL),
        ({"tags": (5,)}, Verdict.DOUBTFUL),
        ({"company_id": 1}, Verdict.SAME),
    ],
)
def test_what_people_may_have_changed_since_leaves_a_doubt(changes, expected):
    assert verdict(**changes) is expected


def test_a_contact_is_known_by_its_uuid_where_no_number_was_given():
    fields = {"contactUuid": "AB-1", "depid": "3"}
    want = wanted(FIELDS | fields | {"contactid": ""}, LONG_AGO)
    assert want.verdict(attrs.evolve(STORED, contact_uuid="ab-1")) is Verdict.SAME
    assert want.verdict(attrs.evolve(STORED, contact_uuid="ab-2")) is Verdict.OTHER
    assert wanted(FIELDS | fields, LONG_AGO).links == WANTED.links


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (NOON, Verdict.SAME),
        (NOON.astimezone(timezone(timedelta(hours=-5))), Verdict.SAME),
        (NOON + timedelta(seconds=1), Verdict.OTHER),
        (NOON + timedelta(hours=5), Verdict.DOUBTFUL),
        (NOON + timedelta(hours=5, minutes=1), Verdict.OTHER),
        (NOON + timedelta(hours=15), Verdict.OTHER),
        (datetime(2026, 3, 1, 12), Verdict.SAME),  # noqa: DTZ001 - the server gave no offset
        (datetime(2026, 3, 1, 7), Verdict.SAME),  # noqa: DTZ001 - as above
        (datetime(2026, 3, 1, 7, 1), Verdict.OTHER),  # noqa: DTZ001 - as above
        (datetime(2026, 3, 2, tzinfo=timezone(timedelta(minutes=7))), Verdict.DOUBTFUL),
        (datetime(2026, 3, 9, tzinfo=UTC), Verdict.OTHER),
        (None, Verdict.DOUBTFUL),
    ],
)
def test_a_date_may_be_shown_in_another_zone_or_as_a_day(shown, expected):
    assert WANTED.asked.verdict(shown) is expected
    assert verdict(date_opened=shown, date_updated=shown) is expected


@given(st.datetimes(datetime(1970, 1, 9), datetime(2200, 1, 1)), zones, zones, st.booleans())  # noqa: DTZ001 - zones are drawn apart
def test_a_date_is_found_again_in_whatever_zone_it_was_asked_and_is_shown(moment, asked, shown, given_a_zone):
    sent = moment.replace(tzinfo=asked)
    stored = sent.replace(microsecond=0).astimezone(shown)
    assert opened_at(sent.isoformat()).verdict(stored) is Verdict.SAME
    if given_a_zone:
        assert opened_at(sent.isoformat()).verdict(stored.replace(tzinfo=None)) is Verdict.SAME
    assert opened_at(moment.isoformat(sep=" ")).verdict(moment.replace(tzinfo=shown)) is Verdict.SAME


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), zones)  # noqa: DTZ001 - zones are drawn apart
def test_the_search_covers_the_day_in_every_zone_whether_or_not_its_bounds_belong(moment, zone):
    days = opened_at(moment.replace(tzinfo=UTC).isoformat()).days
    after, before = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (days.after, days.before))
    assert after + timedelta(days=1) <= moment.replace(tzinfo=UTC) < before
    assert (len(days.after), len(days.before)) == (10, 10)


def test_a_date_without_a_zone_is_doubtful_where_only_another_zone_explains_it():
    asked = opened_at("2026-03-01 12:00")
    assert asked.verdict(datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=-5)))) is Verdict.SAME
    assert asked.verdict(NOON + timedelta(hours=2)) is Verdict.DOUBTFUL
    assert asked.verdict(NOON + timedelta(minutes=2)) is Verdict.OTHER
    assert opened_at("2026-03-01").verdict(datetime(2026, 3, 1, tzinfo=UTC)) is Verdict.SAME


@pytest.mark.parametrize("text", ["-30 days", "now", "0001-01-01", "9999-12-31T23:59:59", "1709251200000"])
def test_what_only_the_server_can_read_is_told(text):
    with pytest.raises(CannotTellError, match="only the server can read"):
        opened_at(text)


def test_the_servers_own_time_is_trusted_to_a_few_seconds_where_it_tells_it():
    sent = NOON.timestamp()
    exact, loose = opened_between(sent, sent + 30, ahead=3_600.0), opened_between(sent, sent + 30, ahead=None)
    assert exact == Opening(sent + 3_595, sent + 3_635)
    assert exact.verdict(NOON + timedelta(hours=1, seconds=33)) is Verdict.SAME
    assert exact.verdict(NOON + timedelta(hours=1, seconds=50)) is Verdict.OTHER
    assert exact.verdict(NOON) is Verdict.DOUBTFUL
    assert loose.verdict(NOON - timedelta(minutes=9)) is Verdict.SAME
    assert loose.verdict(NOON - timedelta(minutes=12)) is Verdict.DOUBTFUL


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_text_is_known_however_often_it_was_escaped(text):

    assert plain(html.escape(text)) == plain(html.escape(html.escape(text))) == plain(text)
    assert plain(text.replace("\n", "<br />\r\n")) == plain(text)


def test_a_text_from_which_the_key_was_taken_is_still_known():
    want = wanted(FIELDS | {"details": "my key is *** (really)"}, LONG_AGO)
    assert want.verdict(attrs.evolve(STORED, details="my key is abc.def (really)")) is Verdict.SAME
    assert want.verdict(attrs.evolve(STORED, details="my key is abc")) is Verdict.DOUBTFUL
    assert want.verdict(attrs.evolve(STORED, details="my lock is abc")) is Verdict.OTHER
    line = wanted(FIELDS | {"details": "Call back.\n******\nJo"}, LONG_AGO)
    assert line.verdict(attrs.evolve(STORED, details="Call back.\n******\nJo")) is Verdict.SAME
    assert line.verdict(attrs.evolve(STORED, details="Call back. Ann or Jo")) is Verdict.DOUBTFUL
