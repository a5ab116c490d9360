"""What a look at the server proves."""

import pytest

from fusedesk_async._reconcile.creation_log import CreationLog
from fusedesk_async._reconcile.look import Look
from fusedesk_async._reconcile.lost import Lost
from fusedesk_async._reconcile.newest import Newest

NEW = {"summary": "S", "details": "D", "openedby": "jo", "date_opened": "2026-03-01T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("works", "keeping", "why"),
    [
        (False, None, "searches by date were not seen"),
        (True, "neither", "under other dates than those that were asked for"),
        (True, None, "under which date the server shows it is unknown"),
    ],
)
def test_what_is_not_among_the_newest_may_be_open_where_dates_prove_nothing(works, keeping, why):
    lost, log = Lost(NEW, 1_772_366_400.0, 1_772_366_520.0, 120.0), CreationLog(date_filter_works=works)
    look = Look([lost], Newest(is_whole=False), log, ahead=None, keeping=keeping, exclude=())
    (found,) = look.results([])
    assert found.unseen_because is not None
    assert why in found.unseen_because
