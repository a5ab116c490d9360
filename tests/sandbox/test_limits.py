"""The three kinds of hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async.sandbox import FixedHour, RateLimit, SlidingHour, TokenBucket


def test_a_fixed_hour_forgets_at_its_stroke() -> None:
    limit = FixedHour(3, window=60, phase=20, used=1)
    assert [limit.admit(10), limit.admit(11), limit.admit(12)] == [True, True, False]
    assert limit.retry_after(12) == 8
    assert limit.remaining(20) == 3
    assert limit.retry_after(20) == 0
    assert limit.admit(20)
    assert limit.remaining(79.9) == 2
    assert limit.remaining(80) == 3


def test_a_sliding_hour_forgets_call_by_call() -> None:
    limit = SlidingHour(3, window=60, used=1)
    assert [limit.admit(0), limit.admit(30), limit.admit(40)] == [True, True, False]
    assert limit.retry_after(40) == 20
    assert limit.remaining(60) == 2
    assert limit.retry_after(60) == 0
    assert limit.remaining(90) == 3


def test_a_token_bucket_fills_evenly() -> None:
    limit = TokenBucket(60, window=60, burst=3, used=1)
    assert [limit.admit(0), limit.admit(0), limit.admit(0)] == [True, True, False]
    assert limit.retry_after(0) == 1
    assert limit.retry_after(1) == 0
    assert limit.admit(1)
    assert limit.remaining(1000) == 3


def test_refused_calls_count_if_asked() -> None:
    sliding = SlidingHour(1, window=60, counts_refused=True)
    assert [sliding.admit(0), sliding.admit(50)] == [True, False]
    assert sliding.retry_after(60) == 50
    bucket = TokenBucket(60, window=60, burst=1, counts_refused=True)
    assert [bucket.admit(0), bucket.admit(0.9), bucket.admit(1.5), bucket.admit(2.6)] == [True, False, False, True]
    fixed = FixedHour(1, window=60, counts_refused=True)
    assert [fixed.admit(0), fixed.admit(1), fixed.admit(60)] == [True, False, True]


@pytest.mark.parametrize("kind", [FixedHour, SlidingHour, TokenBucket])
def test_a_limit_of_nothing_refuses_for_a_window(kind: type[FixedHour | SlidingHour | TokenBucket]) -> None:
    limit = kind(0, window=60)
    assert not limit.admit(0)
    assert limit.retry_after(0) == 60


@pytest.mark.parametrize("limit", [FixedHour(2), SlidingHour(2, used=1), TokenBucket(2)])
def test_a_clone_counts_for_itself(limit: RateLimit) -> None:
    clone = limit.clone()
    while clone.admit(0):
        pass
    assert clone.remaining(0) == 0
    assert limit.remaining(0) > 0
    assert clone.limit == limit.limit


@given(
    st.sampled_from([FixedHour(5, window=7, phase=0.3), SlidingHour(5, window=7), TokenBucket(5, window=7, burst=2)]),
    st.lists(st.floats(0, 3), max_size=60),
)
def test_waiting_as_told_is_enough(model: RateLimit, gaps: list[float]) -> None:
    limit, now, admitted = model.clone(), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if not limit.admit(now):
            now += limit.retry_after(now)
            assert limit.admit(now)
        admitted.append(now)
    if isinstance(limit, SlidingHour):
        assert all(later - earlier >= 7 - 1e-6 for earlier, later in zip(admitted, admitted[5:], strict=False))
