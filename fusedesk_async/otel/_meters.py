"""Calls as numbers."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from fusedesk_async._client import FuseDesk
from fusedesk_async._events import (
    CallAnswered,
    CallEnded,
    CallLost,
    CallRetried,
    CallStarted,
    Event,
    QuotaWait,
    QuotaWaitOver,
)
from fusedesk_async._version import __version__
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS
from fusedesk_async.otel._attributes import (
    ERROR_TYPE,
    NAME,
    SCHEMA,
    Attributes,
    error_attributes,
    request_attributes,
    status_attributes,
)

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""As the semantic conventions advise."""
_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)


@contextmanager
def measured(desk: FuseDesk, server: Attributes, provider: MeterProvider | None) -> Generator[None, None, None]:
    """Measure a client's calls while the block lasts."""
    instruments = _instruments(provider)
    measure = Measure(desk, server, instruments)
    instruments.measures.append(measure)
    try:
        with desk.observe(measure.on_event):
            yield
    finally:
        instruments.measures.remove(measure)


class Instruments:
    """The instruments of a provider, made once: a gauge that is made twice calls back only the first."""

    def __init__(self, meter: Meter) -> None:
        self.measures: list[Measure] = []
        self.request_duration = _histogram(
            meter, "http.client.request.duration", "Duration of HTTP client requests.", _REQUEST_SECONDS
        )
        self.calls = meter.create_counter("fusedesk.client.calls", "{call}", "Calls that ended.")
        self.call_duration = _histogram(meter, "fusedesk.client.call.duration", "Duration of calls, waits included.")
        self.call_wait = _histogram(meter, "fusedesk.client.call.wait", "What calls waited for their turn.")
        self.retries = meter.create_counter("fusedesk.client.retries", "{attempt}", "Attempts after a failure.")
        self.refusals = meter.create_counter("fusedesk.client.refusals", "{answer}", "Answers: too many calls.")
        self.quota_waits = meter.create_counter("fusedesk.client.quota.waits", "{wait}", "Waits for quota.")
        self.quota_wait = _histogram(meter, "fusedesk.client.quota.wait", "How long calls were held back.")
        meter.create_observable_gauge(
            "fusedesk.client.quota.left", [self._remaining], "{call}", "Calls left this hour."
        )
        meter.create_observable_gauge("fusedesk.client.quota.limit", [self._limit], "{call}", "Calls per hour.")

    def _remaining(self, _: CallbackOptions) -> Iterable[Observation]:
        return _observations((measure.allowance.remaining, measure.server) for measure in tuple(self.measures))

    def _limit(self, _: CallbackOptions) -> Iterable[Observation]:
        return _observations((measure.allowance.limit, measure.server) for measure in tuple(self.measures))


def _histogram(meter: Meter, name: str, what: str, bounds: tuple[float, ...] = _CALL_SECONDS) -> metrics.Histogram:
    return meter.create_histogram(name, "s", what, explicit_bucket_boundaries_advisory=bounds)


def _observations(values: Iterable[tuple[int | None, Attributes]]) -> Iterator[Observation]:
    return (Observation(value, server) for value, server in values if value is not None)


class Measure:
    """Measures one client.

    Attributes:
        server: Where its calls go.
        allowance: As last seen in the client's thread: gauges are read in another one.
    """

    def __init__(self, desk: FuseDesk, server: Attributes, instruments: Instruments) -> None:
        self.server = server
        self.allowance = desk.allowance
        self._desk = desk
        self._instruments = instruments
        self._statuses: dict[int, Attributes] = {}
        self._reason: Attributes = {}

    def on_event(self, event: Event) -> None:
        """Count an event."""
        match event:
            case CallStarted():
                self._statuses[event.call] = {}
            case CallAnswered():
                self._on_answered(event)
            case CallLost():
                self._instruments.request_duration.record(
                    event.seconds, self._attributes(event) | error_attributes(event.error)
                )
            case CallRetried():
                self._instruments.retries.add(1, self._attributes(event) | error_attributes(event.error))
            case CallEnded():
                self._on_ended(event)
            case QuotaWait():
                self._on_quota_wait(event)
            case QuotaWaitOver():
                self._instruments.quota_wait.record(event.seconds, self.server | self._reason)
                self._reason = {}
            case _:  # of the store of a shared quota there is a log, and its observers
                pass

    def _on_answered(self, event: CallAnswered) -> None:
        attributes, status = self._attributes(event), status_attributes(event.status)
        self._instruments.request_duration.record(event.seconds, attributes | status)
        if event.status == TOO_MANY_REQUESTS:
            self._instruments.refusals.add(1, attributes)
        if event.call in self._statuses:  # else its caller was cancelled
            self._statuses[event.call] = status

    def _on_ended(self, event: CallEnded) -> None:
        attributes = self._attributes(event) | self._statuses.pop(event.call, {})
        if event.error is not None:
            attributes |= error_attributes(event.error)
        if event.cancelled:
            attributes |= {ERROR_TYPE: "cancelled"}
        self._instruments.calls.add(1, attributes)
        self._instruments.call_duration.record(event.seconds, attributes)
        self._instruments.call_wait.record(event.waited, self._attributes(event))
        self.allowance = self._desk.allowance

    def _on_quota_wait(self, event: QuotaWait) -> None:
        reason: Attributes = {"fusedesk.reason": event.reason}
        if not self._reason:
            self._instruments.quota_waits.add(1, self.server | reason)
        self._reason = reason

    def _attributes(self, event: CallAnswered | CallLost | CallRetried | CallEnded) -> Attributes:
        return self.server | request_attributes(event.request)


_INSTRUMENTS: WeakKeyDictionary[MeterProvider, Instruments] = WeakKeyDictionary()
_GLOBAL_INSTRUMENTS: list[Instruments] = []  # separate: before it is set, the global provider is another object


def _instruments(provider: MeterProvider | None) -> Instruments:
    if provider is None or provider is metrics.get_meter_provider():
        if not _GLOBAL_INSTRUMENTS:
            _GLOBAL_INSTRUMENTS.append(Instruments(metrics.get_meter(NAME, __version__, None, SCHEMA)))
        return _GLOBAL_INSTRUMENTS[0]
    if provider not in _INSTRUMENTS:
        _INSTRUMENTS[provider] = Instruments(provider.get_meter(NAME, __version__, SCHEMA))
    return _INSTRUMENTS[provider]
