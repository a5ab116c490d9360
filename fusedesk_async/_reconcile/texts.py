"""Is this the text that was asked for? In linear time, whatever customers have written.

A stored text may come back trimmed, with other white space, escaped for HTML once or twice, or cut off.
"""

import re

from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async._text import normalized_words, plain
from fusedesk_async._wire.api_key import MASK

LONGEST_COMPARED = 64 * 1024
"""Characters. Longer texts are the same only if they are equal, and else in doubt: comparing costs the event loop."""
SHORTEST_EXTENDED = 40
"""Characters. A text that goes on where the one asked for ends may be it, if that one is at least this long."""
_CUT_ENTITY = re.compile(r"&#?\w{0,31}\Z")


def likeness(asked: str, shown: str) -> Verdict:
    """Whether a text that is shown is the one that was asked for. What was cut off anywhere leaves a doubt."""
    if asked == shown:
        return Verdict.SAME
    if max(len(asked), len(shown)) > LONGEST_COMPARED:
        return Verdict.DOUBTFUL
    one, two = plain(asked), plain(shown)
    if one == two:
        return Verdict.SAME
    if MASK in one and fits_around_masks(one, two):
        return Verdict.DOUBTFUL if f"{MASK}{MASK[0]}" in one else Verdict.SAME  # a line of asterisks is no mask
    masked, known = MASK in one, _letters(one.partition(MASK)[0])
    one, two, cut = _letters(one), _letters(two), _letters(_CUT_ENTITY.sub("", two.rstrip(".\u2026 ")))
    if masked and two.startswith(known):  # it may have been cut off within what the mask stands for
        return Verdict.DOUBTFUL
    extended = len(one) >= SHORTEST_EXTENDED and two.startswith(one)
    return Verdict.DOUBTFUL if one == two or one.startswith((two, cut)) or extended else Verdict.OTHER


def fits_around_masks(asked: str, shown: str) -> bool:
    """Whether a text is the one that was asked for, with something in place of each mask of the API key."""
    first, *between, last = asked.split(MASK)
    if len(first) + len(last) > len(shown) or not (shown.startswith(first) and shown.endswith(last)):
        return False
    at, end = len(first), len(shown) - len(last)
    for part in between:
        at = shown.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, "".join(normalized_words(text.casefold(), "NFKD"))))
