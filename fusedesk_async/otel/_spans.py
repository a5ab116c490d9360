"""Calls as spans."""

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from fusedesk_async._events import CallAnswered, CallEnded, CallLost, CallRetried, CallStarted, Event
from fusedesk_async.errors import PermissionDeniedError
from fusedesk_async.otel._attributes import (
    STATUS,
    Attributes,
    error_attributes,
    request_attributes,
    status_attributes,
)

SHORTEST_WAIT = 0.001
"""Seconds. A shorter wait does not become an event."""


class Spans:
    """The spans of the calls in flight.

    They are not made current: a call's events come in several tasks, and a block that ends before its call would
    leave its span the current one.
    """

    def __init__(self, tracer: Tracer, server: Attributes) -> None:
        self._tracer = tracer
        self._server = server
        self._open: dict[int, Span] = {}

    def on_event(self, event: Event) -> None:
        """Begin, continue or end a span. Events after the end of their call are ignored."""
        match event:
            case CallStarted():
                self._begin(event)
            case CallAnswered() | CallLost() if event.call in self._open:
                _add_attempt(self._open[event.call], event)
            case CallRetried() if event.call in self._open:
                pause: Attributes = {"fusedesk.pause": event.pause}
                self._open[event.call].add_event("fusedesk.retry", pause | error_attributes(event.error))
            case CallEnded() if event.call in self._open:
                _end(self._open.pop(event.call), event)
            case _:
                pass

    def end_all(self) -> None:
        """End what is open, as no more events will come."""
        while self._open:
            _, span = self._open.popitem()
            span.set_attribute("fusedesk.unfinished", True)  # noqa: FBT003 - the interface is OpenTelemetry's
            span.end()

    def _begin(self, event: CallStarted) -> None:
        request = request_attributes(event.request)
        name = " ".join(str(part) for part in request.values())
        self._open[event.call] = self._tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes=self._server | request
        )  # the event comes in the caller's task, so its current span is the parent


def _add_attempt(span: Span, event: CallAnswered | CallLost) -> None:
    if event.waited >= SHORTEST_WAIT:
        span.add_event("fusedesk.wait", {"fusedesk.seconds": event.waited})
    attempt: Attributes = {"fusedesk.attempts": event.request.attempts, "fusedesk.seconds": event.seconds}
    if isinstance(event, CallAnswered):
        attempt |= status_attributes(event.status)
        span.set_attribute(STATUS, event.status)
    else:
        attempt |= error_attributes(event.error)
    span.add_event("fusedesk.attempt", attempt)


def _end(span: Span, event: CallEnded) -> None:
    attempts = event.request.attempts
    span.set_attributes({"fusedesk.attempts": attempts, "fusedesk.waited": event.waited})
    if attempts > 1:
        span.set_attribute("http.request.resend_count", attempts - 1)
    if event.cancelled:
        span.set_attribute("fusedesk.cancelled", True)  # noqa: FBT003 - as above
    if event.error is not None:
        span.set_attributes(error_attributes(event.error))
        span.set_status(Status(StatusCode.ERROR))
        if isinstance(event.error, PermissionDeniedError) and event.error.scope:
            span.set_attribute("fusedesk.scope", event.error.scope)
    span.end()
