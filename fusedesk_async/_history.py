"""A history as the forms that import it, none larger than wanted."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from fusedesk_async._convert import unstructure
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import encode_json
from fusedesk_async.models import NewHistoryItem

DEFAULT_FORM_SIZE = 1_000_000
"""Bytes. Well below the 8 MB that PHP takes by default; FuseDesk's own figure is not public."""
FRAME = 200
"""Bytes that a form needs besides its elements, generously."""


def forms(
    history: Sequence[NewHistoryItem], *, skip_infusionsoft: bool, size: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """The forms, each with the number of its elements.

    Raises:
        ConfigurationError: There is no element, or one cannot be sent or is larger than a form may be. Raised at
            once, before the first form is given.
    """
    if not history:
        message = "there is no history to import"
        raise ConfigurationError(message)
    elements = [encode_json(unstructure(item)) for item in history]
    sizes = [len(quote(element, safe="")) + len(quote(",")) for element in elements]
    for place, bytes_needed in enumerate(sizes):
        if bytes_needed + FRAME > size:
            message = f"element {place} of the history needs {bytes_needed} bytes; form_size is {size}"
            raise ConfigurationError(message)
    return _packed(elements, sizes, skip_infusionsoft=skip_infusionsoft, room=size - FRAME)


def _packed(
    elements: list[str], sizes: list[int], *, skip_infusionsoft: bool, room: int
) -> Iterator[tuple[dict[str, Any], int]]:
    start, used = 0, 0
    for place, bytes_needed in enumerate([*sizes, room + 1]):
        if used + bytes_needed > room and place > start:
            history = f"[{','.join(elements[start:place])}]"
            yield {"history": history, "skipinfusionsoft": skip_infusionsoft}, place - start
            start, used = place, 0
        used += bytes_needed
