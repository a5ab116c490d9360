"""Many things in requests of a bounded size: ids in an address, elements of a history in forms."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from fusedesk_async._wire.call import number
from fusedesk_async._wire.converter import unstructure
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import encode_json
from fusedesk_async.models import NewHistoryItem

LONGEST_ID_LIST = 1_500
"""Bytes of an address that ids may take. Servers and proxies on the way are known to take 2,000 or more in all."""
DEFAULT_FORM_SIZE = 1_000_000
"""Bytes. Well below the 8 MB that PHP takes by default; FuseDesk's own figure is not public."""
FORM_OVERHEAD = 200
"""Bytes that a form needs besides its elements, generously."""
COMMA = len(quote(","))


def id_chunks(case_ids: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The ids in texts that fit into an address, each with the number of its ids.

    Raises:
        ConfigurationError: There is none, or one is no id. Raised at once, before the first text is given.
    """
    ids = [number(case, "a case id") for case in case_ids]
    if not ids:
        message = "there is no case to change"
        raise ConfigurationError(message)
    chunks = _chunks([len(text) + COMMA for text in ids], LONGEST_ID_LIST)
    return ((",".join(ids[chunk]), chunk.stop - chunk.start) for chunk in chunks)


def history_forms(
    history: Sequence[NewHistoryItem], *, skip_infusionsoft: bool, size: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """The forms that import a history, each with the number of its elements.

    Raises:
        ConfigurationError: There is no element, or one cannot be sent or is larger than a form may be. Raised at
            once, before the first form is given.
    """
    if not history:
        message = "there is no history to import"
        raise ConfigurationError(message)
    elements = [encode_json(unstructure(item)) for item in history]
    sizes = [len(quote(element, safe="")) + COMMA for element in elements]
    for index, bytes_needed in enumerate(sizes):
        if bytes_needed + FORM_OVERHEAD > size:
            message = f"element {index} of the history needs {bytes_needed} bytes; form_size is {size}"
            raise ConfigurationError(message)
    return (
        (
            {"history": f"[{','.join(elements[chunk])}]", "skipinfusionsoft": skip_infusionsoft},
            chunk.stop - chunk.start,
        )
        for chunk in _chunks(sizes, size - FORM_OVERHEAD)
    )


def _chunks(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Stretches whose sizes add up to no more than `most`; one that is larger by itself stands alone."""
    start, used = 0, 0
    for index, size in enumerate(sizes):
        if used + size > most and index > start:
            yield slice(start, index)
            start, used = index, 0
        used += size
    yield slice(start, len(sizes))
