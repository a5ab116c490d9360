"""Spans and metrics of OpenTelemetry; needs `pip install "fusedesk_async[otel]"`.

    from fusedesk_async.otel import instrumented

    async with FuseDesk.from_env() as desk:
        with instrumented(desk):
            ...

Each call is a span, a child of its caller's, from its beginning to its end: waits for quota, all attempts and pauses
included. What happens in between are its events: `fusedesk.wait`, `fusedesk.attempt`, `fusedesk.retry`.

| metric                         | kind         | what                                              |
| ------------------------------ | ------------ | ------------------------------------------------- |
| `http.client.request.duration` | histogram, s | each attempt, from sending to the last byte       |
| `fusedesk.client.calls`        | counter      | calls that ended                                  |
| `fusedesk.client.call.duration`| histogram, s | calls, with all their waits, attempts and pauses  |
| `fusedesk.client.call.wait`    | histogram, s | what calls waited for their turn                  |
| `fusedesk.client.retries`      | counter      | attempts after a failure                          |
| `fusedesk.client.refusals`     | counter      | answers that said "too many calls" (429)          |
| `fusedesk.client.quota.waits`  | counter      | times that calls began to be held back, by reason |
| `fusedesk.client.quota.wait`   | histogram, s | how long that took, by reason                     |
| `fusedesk.client.quota.left`   | gauge        | calls left this hour, once a response said so     |
| `fusedesk.client.quota.limit`  | gauge        | calls per hour, once an answer has told           |

Attributes are those of the semantic conventions for HTTP clients where there is one: `http.request.method`,
`url.template`, `http.response.status_code`, `http.request.resend_count`, `error.type`, `server.address` and
`server.port`. A template has no ids: `/api/v1/cases/{id}`. Paths, parameters, and the texts of errors and answers are
left out, since they may be personal; so is the key.

An instrumentation of httpx itself would see the requests with their key, and with `auth="query"` export it as part of
the address. Use this one instead.
"""

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from fusedesk_async._client import FuseDesk
from fusedesk_async._version import __version__
from fusedesk_async.otel._attributes import NAME, SCHEMA, server_attributes
from fusedesk_async.otel._meters import measured
from fusedesk_async.otel._spans import Spans

__all__ = ["instrumented"]


@contextmanager
def instrumented(
    desk: FuseDesk, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Generator[None, None, None]:
    """Export spans and metrics of a client and all its views, while the block lasts.

    The span of a call that is in flight when the block ends is ended there and marked `fusedesk.unfinished`.
    Waits for quota are those of the limiter: where several clients share one, instrument one of them, or each wait is
    counted several times.

    Args:
        desk: The client; it need not be open yet.
        tracer_provider: Where spans go; OpenTelemetry's global provider if None.
        meter_provider: Where metrics go; OpenTelemetry's global provider if None.
    """
    server = server_attributes(desk.base_url)
    spans = Spans(trace.get_tracer(NAME, __version__, tracer_provider, SCHEMA), server)
    with measured(desk, server, meter_provider), desk.observe(spans.on_event):
        try:
            yield
        finally:
            spans.end_all()
