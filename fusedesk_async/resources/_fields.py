"""Values of fields that are checked before they are sent."""

from fusedesk_async.errors import ConfigurationError


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
