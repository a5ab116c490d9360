"""What the rules remember, as plain values that fit into a store: a few kilobytes, however many calls an hour has.

Moments of calls are kept as numbers of calls in each of 240 slots of the hour, and a call counts until the end of its
slot, so at most 15 seconds of an hour too long. Numbers of calls are kept as runs of numbers that follow each other.
All else is kept as it is. How long responses took, which each process measures for itself, and where jitter comes
from, are left out. Values in, values out; no clock.
"""

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

import attrs

from fusedesk_async._ratelimit.cooldown import Cooldown
from fusedesk_async._ratelimit.count_direction import Look
from fusedesk_async._ratelimit.rules import AdmissionRules

SLOTS = 240
"""Of the hour. More of them are more exact, and take more room."""
TOLD_STEPS, MOST_TOLD = 36_000, 1_500
"""Parts of the hour to which moments are rounded down at which callers were asked to come back; and how many of these
moments are kept, the earliest."""

NUMBERS = ("in_flight", "next_number", "_first_granted_at", "_had_response")
PARTS = ("ledger", "cooldowns", "interactive", "direction", "_call_log", "_burst", "_pacer")
CALL_LOG = "_call_log"
WINDOW, RETRY_TIMES, ENDPOINTS, OWN = "_window", "_retry_times", "_endpoints", "response_times"
"""What `AdmissionRules` have: numbers, parts that are attrs classes, and what is kept in forms of their own or not."""
SETTINGS = {"window", "late_by", "reserve", "assumed_limit", "source", "ledger", "call_log"}
"""Fields of parts that rules are made with."""


class _Scale(NamedTuple):
    """What values are relative to: seconds of an hour, the number of the next call; and where jitter comes from."""

    window: float
    next_number: int
    source: random.Random


@attrs.frozen
class _Form:
    """How fields of one type are kept: made plain, and made anew from that; the latter is given what is there."""

    save: Callable[[Any, _Scale], Any]
    load: Callable[[Any, Any, _Scale], Any]


def save(rules: AdmissionRules) -> list[Any]:
    """All that the rules remember, as lists, numbers, texts and nothing else."""
    found = vars(rules)
    rules.ledger.forget_old()
    scale = _Scale(rules.window, rules.next_number, random.Random())
    endpoints: dict[str, set[int]] = {}
    for number, endpoint in found[ENDPOINTS].items():
        endpoints.setdefault(endpoint, set()).add(number)
    return [
        rules.window,
        [found[name] for name in NUMBERS],
        [_save_part(found[name], scale) for name in PARTS],
        [_save_part(found[RETRY_TIMES][bulk], scale) for bulk in (False, True)],
        {endpoint: _save_runs(numbers, scale) for endpoint, numbers in endpoints.items()},
    ]


def load(saved: list[Any], rules: AdmissionRules, source: random.Random) -> None:
    """Let fresh rules remember what others did.

    Args:
        saved: What `save` made of these.
        rules: The fresh ones.
        source: Where their jitter comes from.
    """
    window, numbers, parts, retry_times, endpoints = saved
    rules.set_window(window)
    found = vars(rules)
    found.update(zip(NUMBERS, numbers, strict=True))
    scale = _Scale(rules.window, rules.next_number, source)
    for name, values in zip(PARTS, parts, strict=True):
        _load_part(values, found[name], scale)
    for bulk, values in zip((False, True), retry_times, strict=True):
        _load_part(values, found[RETRY_TIMES][bulk], scale)
    found[CALL_LOG].late_by = rules.window / SLOTS
    for endpoint, runs in endpoints.items():
        found[ENDPOINTS].update(dict.fromkeys(_load_runs(runs, None, scale), endpoint))


def layout() -> list[str]:
    """The fields that are kept, in their order; another layout wants another version of the state."""
    found = vars(AdmissionRules(reserve=0.1, window=3_600.0, assumed_limit=1_800, source=random.Random()))
    parts = [*(found[name] for name in PARTS), found[RETRY_TIMES][True]]
    return [*NUMBERS, *chain.from_iterable(map(_layout_of, parts))]


def _layout_of(part: Any) -> Iterator[str]:
    for field in _fields(type(part)):
        kind: Any = field.type
        yield f"{field.name}: {kind}"
        if attrs.has(kind):
            yield from _layout_of(getattr(part, field.name))


def _kept(part: Any) -> list[tuple[str, _Form]]:
    """The fields of a part that are kept, and in which form."""
    kept = _KEPT.get(type(part))
    if kept is None:
        kept = _KEPT[type(part)] = [(field.name, _form(field.type)) for field in _fields(type(part))]
    return kept


_KEPT: dict[Any, list[tuple[str, _Form]]] = {}


def _fields(kind: Any) -> list["attrs.Attribute[Any]"]:
    return [field for field in attrs.fields(kind) if field.name not in SETTINGS]


def _form(kind: Any) -> _Form:
    return _FORMS.get(kind) or (_PART if attrs.has(kind) else _PLAIN)


def _save_part(part: Any, scale: _Scale) -> list[Any]:
    return [form.save(getattr(part, name), scale) for name, form in _kept(part)]


def _load_part(values: list[Any], part: Any, scale: _Scale) -> Any:
    for (name, form), value in zip(_kept(part), values, strict=True):
        setattr(part, name, form.load(value, getattr(part, name), scale))
    return part


def _save_runs(numbers: Iterable[int], scale: _Scale) -> list[int]:
    """How far numbers lie before the next one: where each run of them begins, and how long it is."""
    runs: list[int] = []
    last = None
    for number in sorted(numbers):
        if last is not None and number == last + 1:
            runs[-1] += 1
        else:
            runs += [scale.next_number - number, 1]
        last = number
    return runs


def _load_runs(runs: list[int], _: Any, scale: _Scale) -> set[int]:
    begins = (scale.next_number - distance for distance in runs[::2])
    ranges = (range(begin, begin + length) for begin, length in zip(begins, runs[1::2], strict=True))
    return set(chain.from_iterable(ranges))


def _save_slots(moments: Iterable[tuple[float, int]], scale: _Scale) -> list[int]:
    """Moments and how many calls they stand for: those of each slot, which is said as its distance from the last."""
    slot = scale.window / SLOTS
    counts: dict[int, int] = {}
    for moment, count in moments:
        end = math.ceil(moment / slot - 1e-3)
        counts[end] = counts.get(end, 0) + count
    ends = sorted(counts)
    distances = [*ends[:1], *(later - end for end, later in pairwise(ends))]
    return list(chain.from_iterable(zip(distances, map(counts.__getitem__, ends), strict=True)))


def _load_slots(slots: list[int], scale: _Scale) -> Iterable[tuple[float, int]]:
    end, slot = 0, scale.window / SLOTS
    for distance, count in zip(slots[::2], slots[1::2], strict=True):
        end += distance
        yield end * slot, count


def _load_moments(slots: list[int], moments: "deque[float]", scale: _Scale) -> "deque[float]":
    moments.clear()
    moments.extend(chain.from_iterable(repeat(moment, count) for moment, count in _load_slots(slots, scale)))
    return moments


def _save_told(moments: list[float], scale: _Scale) -> list[int]:
    step = scale.window / TOLD_STEPS
    steps = [math.floor(moment / step) for moment in moments[:MOST_TOLD]]
    return [*steps[:1], *(later - earlier for earlier, later in pairwise(steps))]


def _load_told(distances: list[int], _: Any, scale: _Scale) -> list[float]:
    step, told, total = scale.window / TOLD_STEPS, list[float](), 0
    for distance in distances:
        total += distance
        told.append(total * step)
    return told


def _save_ended(ended: dict[int, tuple[int, float]], scale: _Scale) -> list[Any]:
    return [
        [scale.next_number - number, scale.next_number - following, None if remaining == -math.inf else remaining]
        for number, (following, remaining) in ended.items()
    ]


def _load_ended(saved: list[Any], _: Any, scale: _Scale) -> dict[int, tuple[int, float]]:
    following = scale.next_number
    return {
        following - distance: (following - granted, -math.inf if remaining is None else remaining)
        for distance, granted, remaining in saved
    }


def _load_cooldowns(saved: dict[str, list[Any]], _: Any, scale: _Scale) -> dict[str, Cooldown]:
    found = {endpoint: Cooldown(scale.window, scale.source) for endpoint in saved}
    for endpoint, values in saved.items():
        _load_part(values, found[endpoint], scale)
    return found


def _save_plain(value: Any, _: _Scale) -> Any:
    return value


def _load_plain(saved: Any, _: Any, __: _Scale) -> Any:
    return saved


def _save_texts(texts: set[str], _: _Scale) -> list[str]:
    return sorted(texts)


def _load_texts(saved: list[str], _: Any, __: _Scale) -> set[str]:
    return set(saved)


def _save_moments(moments: "deque[float]", scale: _Scale) -> list[int]:
    return _save_slots(Counter(moments).items(), scale)


def _load_counted(slots: list[int], _: Any, scale: _Scale) -> "deque[tuple[float, int]]":
    return deque(_load_slots(slots, scale))


def _save_numbers(numbers: "deque[int]", _: _Scale) -> list[int]:
    return list(numbers)


def _load_numbers(saved: list[int], there: "deque[int]", _: _Scale) -> "deque[int]":
    return deque(saved, there.maxlen)


def _save_cooldowns(cooldowns: dict[str, Cooldown], scale: _Scale) -> dict[str, list[Any]]:
    return {endpoint: _save_part(cooldown, scale) for endpoint, cooldown in cooldowns.items()}


def _save_look(look: Look | None, _: _Scale) -> Any:
    return look and attrs.astuple(look)


def _load_look(saved: list[Any] | None, _: Any, __: _Scale) -> Look | None:
    return Look(*saved) if saved else None


_PLAIN, _PART = _Form(_save_plain, _load_plain), _Form(_save_part, _load_part)
_FORMS: dict[Any, _Form] = {
    set[int]: _Form(_save_runs, _load_runs),
    set[str]: _Form(_save_texts, _load_texts),
    deque[float]: _Form(_save_moments, _load_moments),
    deque[tuple[float, int]]: _Form(_save_slots, _load_counted),
    deque[int]: _Form(_save_numbers, _load_numbers),
    list[float]: _Form(_save_told, _load_told),
    dict[int, tuple[int, float]]: _Form(_save_ended, _load_ended),
    dict[str, Cooldown]: _Form(_save_cooldowns, _load_cooldowns),
    Look | None: _Form(_save_look, _load_look),
}
