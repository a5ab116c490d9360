"""Questions about the hourly limit: the headers that tell of it, what they count, and how a 429 tells the wait."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from fusedesk_async._wire.headers import LIMIT_HEADER, USAGE_PREFIX, timestamp
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question
from fusedesk_async.diagnosis._seen import Answers

ENOUGH = 3
"""Steps of a count from which its direction is believed."""
AGREE = 2 / 3
"""Part of the steps that go the same way. Others go the other way where an hour begins, or calls come back."""
_ABOUT_CALLS = re.compile(r"usage|ratelimit|rate-limit|quota|api-?calls|calls-(?:left|used|remaining)")
_NO_COUNT = re.compile(r"reset|window|policy|period")
_SAFE = re.compile(r"[a-z-]{1,40}")
_SECONDS = re.compile(r"[0-9., ]+")
_DIGITS = re.compile(r"[0-9]{1,9}")


def counts(answers: Answers, name: str) -> list[int]:
    """The numbers of a header, in the order of the responses."""
    texts = [headers.get(name, "").strip() for headers in answers.headers]
    return [int(text) for text in texts if _DIGITS.fullmatch(text)]


def _names(answers: Answers) -> list[str]:
    """The headers that have numbers about calls."""
    names = {name for headers in answers.headers for name in headers if _ABOUT_CALLS.search(name)}
    return sorted(
        name for name in names if _SAFE.fullmatch(name) and not _NO_COUNT.search(name) and counts(answers, name)
    )


def limit_name(answers: Answers) -> str:
    """The header with the calls per hour; empty if there is none."""
    names = _names(answers)
    if LIMIT_HEADER in names:
        return LIMIT_HEADER
    return next((name for name in names if "limit" in name.rpartition("-")[2]), "")


def usage_name(answers: Answers) -> str:
    """The header that counts calls; empty if there is none. One that moves is likelier than one that does not."""
    names = [name for name in _names(answers) if name != limit_name(answers)]

    def rank(name: str) -> tuple[bool, bool, str]:
        return not _steps(counts(answers, name)), not name.startswith(USAGE_PREFIX), name

    return min(names, key=rank, default="")


def _steps(numbers: Sequence[int]) -> list[int]:
    """By how much a count moved from each response to the next, where it did."""
    return [second - first for first, second in pairwise(numbers) if second != first]


def limit_of(answers: Answers) -> int:
    """The calls per hour; 0 if no response has said."""
    return next(reversed(counts(answers, limit_name(answers))), 0)


def calls_left(answers: Answers) -> int | None:
    """The calls that are left this hour; None as long as it has not shown whether these are counted or those used."""
    numbers = counts(answers, usage_name(answers))
    if not numbers or numbers[-1] == numbers[0]:
        return None
    if numbers[-1] < numbers[0]:
        return numbers[-1]
    limit = limit_of(answers)
    return limit - numbers[-1] if limit else None


def _without(answers: Answers) -> str:
    return f"none of {len(answers.headers)} responses has such a header"


def _named(answers: Answers, name: str, *, known: bool) -> Outcome:
    if not answers.headers:
        return cannot_tell("no response came")
    evidence = f"on {len(counts(answers, name))} of {len(answers.headers)} responses" if name else _without(answers)
    return judged(name, evidence, known=known)


@question("limit_header")
def limit_header(answers: Answers) -> Outcome:
    """Name it."""
    name = limit_name(answers)
    return _named(answers, name, known=name == LIMIT_HEADER)


@question("usage_limit")
def usage_limit(answers: Answers) -> Outcome:
    """Read it."""
    numbers = counts(answers, limit_name(answers))
    if not numbers:
        return cannot_tell(_without(answers))
    evidence = f"{len(set(numbers))} different numbers on {len(numbers)} responses"
    return judged(numbers[-1], evidence, known=len(set(numbers)) == 1)


@question("usage_header")
def usage_header(answers: Answers) -> Outcome:
    """Name it."""
    name = usage_name(answers)
    return _named(answers, name, known=name.startswith(USAGE_PREFIX))


def _usual_step(answers: Answers) -> float | None:
    """By how much the count moves with a call; None if too little was seen, or as many steps go up as down."""
    steps = _steps(counts(answers, usage_name(answers)))
    usual = median(steps) if len(steps) >= ENOUGH else 0
    agree = sum(each * usual > 0 for each in steps)
    return usual if usual and agree >= AGREE * len(steps) else None


@question("usage_counts")
def usage_counts(answers: Answers) -> Outcome:
    """Look whether the count goes down or up."""
    step, steps = _usual_step(answers), _steps(counts(answers, usage_name(answers)))
    if not step:
        return cannot_tell("no count was seen to move often enough, and mostly in one direction")
    evidence = f"of {len(steps)} steps {sum(each < 0 for each in steps)} went down"
    return judged("left" if step < 0 else "used", evidence, known=step < 0)


@question("call_cost")
def call_cost(answers: Answers) -> Outcome:
    """Look by how much the count moves."""
    step, steps = _usual_step(answers), _steps(counts(answers, usage_name(answers)))
    if not step:
        return cannot_tell("no count was seen to move often enough, and mostly in one direction")
    evidence = f"the median of {len(steps)} steps; other programs may use the key as well"
    return judged(round(abs(step)), evidence, known=round(abs(step)) == 1)


@question("retry_after")
def retry_after(answers: Answers) -> Outcome:
    """Look at a 429, if one came. None is provoked."""
    refused = answers.refused_by_quota
    if not refused:
        return cannot_tell("no call was refused with status 429")
    text = refused[-1].headers.get("retry-after", "").strip()
    evidence = f"{len(refused)} calls were refused with status 429"
    if not text:
        return judged("none", evidence, known=True)
    value = "date" if timestamp(text) is not None else "seconds" if _SECONDS.fullmatch(text) else None
    return judged(value, evidence, known=value is not None)
