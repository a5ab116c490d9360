"""The real clock."""

import pytest

from fusedesk_async._clock import SystemClock

pytestmark = pytest.mark.anyio


async def test_a_sleeper_notices_that_the_machine_was_asleep():
    looks = iter([0.0, 0.0, 0.0])

    class Laptop(SystemClock):
        longest_sleep = 0.001

        def monotonic(self):
            return next(looks, 10_800.0)

    await Laptop().sleep(3_600.0)
    assert next(looks, None) is None


async def test_a_sleep_is_not_shorter_than_asked_for():
    clock = SystemClock()
    began = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - began >= 0.01


async def test_no_time_at_all_is_a_checkpoint():
    await SystemClock().sleep(0)


def test_all_clocks_of_the_system_are_equal():
    assert SystemClock() == SystemClock()
