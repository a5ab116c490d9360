"""Lists that travel as one text with commas."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from fusedesk_async._call import number
from fusedesk_async.errors import ConfigurationError

ROOM = 1_500
"""Bytes of an address that ids may take. Servers and proxies on the way are known to take 2,000 or more in all."""
COMMA = len(quote(","))


def comma_list(values: str | Sequence[str] | None, name: str) -> str | None:
    """One text as it is, or several with commas between; None for none.

    Raises:
        ConfigurationError: One of several holds a comma, or is no text with something in it.
    """
    if values is None or isinstance(values, str):
        return values or None
    for value in values:
        if not isinstance(value, str) or not value.strip() or "," in value:
            message = f"{name} is made of texts without a comma, not {value!r:.80}"
            raise ConfigurationError(message)
    return ",".join(values) or None


def chunks(case_ids: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The ids in texts that fit into an address, each with the number of its ids.

    Raises:
        ConfigurationError: There is none, or one is no id. Raised at once, before the first text is given.
    """
    ids = [number(case, "a case id") for case in case_ids]
    if not ids:
        message = "there is no case to change"
        raise ConfigurationError(message)
    return _packed(ids)


def in_one(case_ids: Sequence[int]) -> str:
    """At least two different ids in a text that fits into an address.

    Raises:
        ConfigurationError: There are fewer, one comes twice or is no id, or there are too many.
    """
    texts = [text for text, _ in chunks(case_ids)]
    if len(case_ids) < 2 or len(set(case_ids)) < len(case_ids) or len(texts) > 1:  # noqa: PLR2004 - two make a pair
        message = "cases are merged two or more at a time, each named once, and no more than fit into one request"
        raise ConfigurationError(message)
    return texts[0]


def _packed(ids: list[str]) -> Iterator[tuple[str, int]]:
    start, used = 0, 0
    for place, text in enumerate(ids):
        needed = len(text) + COMMA
        if used + needed > ROOM and place > start:
            yield ",".join(ids[start:place]), place - start
            start, used = place, 0
        used += needed
    yield ",".join(ids[start:]), len(ids) - start
