"""The library's warnings, as one line each."""

import re
import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from fusedesk_async import FuseDeskWarning
from fusedesk_async.cli._failure import say

MOST_OF_A_KIND = 3


@contextmanager
def short_warnings() -> Generator[None, None, None]:
    """Print each `FuseDeskWarning` as one line on stderr, but only the first few of a kind; at the end, how many more.

    Two warnings are of one kind if they differ in numbers only.
    """
    kinds = Counter[str]()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, FuseDeskWarning):
                usual(message, category, *where, **more)
                return
            kind = re.sub(r"'.*'|\d+", "#", str(message))
            kinds[kind] += 1
            if kinds[kind] <= MOST_OF_A_KIND:
                say(f"warning: {message}")

        warnings.simplefilter("always", FuseDeskWarning)
        warnings.showwarning = show
        try:
            yield
        finally:
            unsaid = sum(count - MOST_OF_A_KIND for count in kinds.values() if count > MOST_OF_A_KIND)
            if unsaid:
                say(f"warning: {unsaid:,} more like these")
