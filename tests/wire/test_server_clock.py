"""What answers tell of the server's time."""

from fusedesk_async._wire.headers import ServerClock
from fusedesk_async.sandbox import VirtualClock


def test_the_last_date_counts_and_junk_does_not():
    clock = ServerClock(VirtualClock())
    clock.observe_headers({}, 5.0)
    assert clock.ahead is None
    clock.observe_headers({"date": "Thu, 01 Jan 1970 00:01:00 GMT"}, 45.0)
    clock.observe_headers({"date": "soon"}, 50.0)
    assert clock.ahead == 15.0
