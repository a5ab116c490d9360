"""Questions about how responses come: type, compression and version, how long they take, what their clock says."""

from collections import Counter
from statistics import median

from fusedesk_async._wire.answer import MULTIPLE_CHOICES, OK
from fusedesk_async._wire.headers import timestamp
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers

NO_RESPONSE = "no response came"
DEFAULT_TIMEOUT = 30.0
CLOCKS_AGREE = 2.0
"""Seconds. `Date` has whole seconds, and a response takes a while."""
_TYPES = {"application/json", "text/html", "text/json", "text/javascript", "text/plain", "application/javascript", ""}
_CODINGS = {"gzip", "deflate", "br", "zstd", "none"}


def _successes(answers: Answers, header: str) -> list[str]:
    responses = [answer for answer in answers.responses if OK <= answer.status < MULTIPLE_CHOICES]
    return [answer.headers.get(header, "").partition(";")[0].strip().lower() for answer in responses]


@question("content_type")
def content_type(answers: Answers) -> Outcome:
    """Look at `Content-Type`, of which only well-known ones are named."""
    types = Counter(_successes(answers, "content-type"))
    if not types:
        return cannot_tell("no response of success came")
    value = types.most_common(1)[0][0]
    evidence = f"on {types[value]} of {types.total()} responses of success"
    return judged(value if value in _TYPES else None, evidence, known=value == "application/json")


@question("compression")
def compression(answers: Answers) -> Outcome:
    """Look at `Content-Encoding`; gzip is all that the library asks for."""
    codings = Counter(coding or "none" for coding in _successes(answers, "content-encoding"))
    if not codings:
        return cannot_tell("no response of success came")
    value = "gzip" if codings["gzip"] else codings.most_common(1)[0][0]
    evidence = f"on {codings[value]} of {codings.total()} responses of success"
    return judged(value if value in _CODINGS else None, evidence, known=value in {"gzip", "none"})


@question("trailing_slash", "slash")
def trailing_slash(answers: Answers) -> Outcome:
    """Ask for cases with a slash at the end of the path."""
    page = answers["slash"]
    if page.rows is not None:
        return judged("served", f"{len(page.rows)} cases came", known=True)
    if page.kind in {"redirect", "404"}:
        return judged(page.kind, page.problem, known=False)
    return judged(None, page.problem, known=False) if page.kind == "refused" else unread(page)


@question("http_version")
def http_version(answers: Answers) -> Outcome:
    """Look at what the connection says."""
    versions = Counter(answer.http_version for answer in answers.responses if answer.http_version)
    if not versions:
        return cannot_tell("the connection does not say" if answers.responses else NO_RESPONSE)
    value = versions.most_common(1)[0][0]
    known = {"HTTP/1.1": True, "HTTP/1.0": False, "HTTP/2": False, "HTTP/3": False}
    evidence = f"on {versions[value]} of {versions.total()} responses"
    return judged(value if value in known else None, evidence, known=known.get(value, False))


@question("latency")
def latency(answers: Answers) -> Outcome:
    """Take the median of all calls."""
    times = [each.seconds for each in answers.by_call.values() if each.answer is not None]
    if not times:
        return cannot_tell(NO_RESPONSE)
    evidence = f"the median of {len(times)} responses; the slowest took {max(times):.3f} s"
    return judged(round(median(times), 3), evidence, known=max(times) < DEFAULT_TIMEOUT / 2)


@question("clock_skew")
def clock_skew(answers: Answers) -> Outcome:
    """Compare `Date` with this machine's clock."""
    moments = [(timestamp(answer.headers.get("date", "")), answer.received_at) for answer in answers.responses]
    ahead = [shown - here for shown, here in moments if shown is not None]
    if not ahead:
        return cannot_tell("no response had a Date" if answers.responses else NO_RESPONSE)
    seconds = median(ahead)
    agree = abs(seconds) <= CLOCKS_AGREE
    return judged(0 if agree else round(seconds), f"the median of {len(ahead)} responses, in seconds", known=agree)
