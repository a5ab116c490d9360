"""Reads the answer to the making of something."""

from collections.abc import Callable
from typing import Any, TypeVar

from fusedesk_async._json import JSONText
from fusedesk_async._wire import php_values
from fusedesk_async._wire.call import Report
from fusedesk_async._wire.readers import acknowledgement
from fusedesk_async.models.created import Created

K = TypeVar("K", int, str)


def created_number(source: JSONText, report: Report) -> Created[int]:
    """The answer where ids are numbers."""
    return _created(source, report, php_values.whole_number)


def created_text(source: JSONText, report: Report) -> Created[str]:
    """The answer where ids are texts."""
    return _created(source, report, php_values.text)


def _created(source: JSONText, report: Report, hook: Callable[[Any], K | None]) -> Created[K]:
    answer = acknowledgement(source, report).raw
    try:
        return Created(raw=answer, id=hook(answer["id"]))
    except (KeyError, TypeError, ValueError):  # another shape, which is no less good
        return Created(raw=answer)
