"""What all resources have in common."""

from collections.abc import Sequence

from fusedesk_async._wire.call import CallSender, number
from fusedesk_async._wire.chunking import id_chunks
from fusedesk_async.errors import ConfigurationError


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


def in_one(case_ids: Sequence[int]) -> str:
    """At least two different ids in a text that fits into an address.

    Raises:
        ConfigurationError: There are fewer, one comes twice or is no id, or there are too many.
    """
    texts = [text for text, _ in id_chunks(case_ids)]
    if len(case_ids) < 2 or len(set(case_ids)) < len(case_ids) or len(texts) > 1:  # noqa: PLR2004 - two make a pair
        message = "cases are merged two or more at a time, each named once, and no more than fit into one request"
        raise ConfigurationError(message)
    return texts[0]


def case_path(case_id: int, *rest: str) -> str:
    """The path of a case, or of something below it."""
    return "/".join(("v1/cases", number(case_id, "a case id"), *rest))


def filled(value: str, name: str) -> str:
    """A text with something in it.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(value, str) and value.strip():
        return value
    message = f"{name} must be a text with something in it, not {value!r:.80}"
    raise ConfigurationError(message)


def switch(value: bool | None) -> bool | int | None:  # noqa: FBT001 - it is the value that is sent
    """A boolean that is to be sent even if it is false; 0 is the one word for it that PHP never takes as true."""
    return 0 if value is False else value


class Resource:
    """Calls about one kind of thing. Got from a client: `desk.cases`."""

    def __init__(self, send: CallSender) -> None:
        self._send = send
