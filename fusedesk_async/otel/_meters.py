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
        with desk.observe(measure.told):
            yield
    finally:
        instruments.measures.remove(measure)


class Instruments:
    """What measures; once for each provider, since a gauge that is made twice asks only those it was made for first."""

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
        meter.create_observable_gauge("fusedesk.client.quota.left", [self._left], "{call}", "Calls left this hour.")
        meter.create_observable_gauge("fusedesk.client.quota.limit", [self._limit], "{call}", "Calls per hour.")

    def _left(self, _: CallbackOptions) -> Iterable[Observation]:
        return _observations((measure.allowance.remaining, measure.server) for measure in tuple(self.measures))

    def _limit(self, _: CallbackOptions) -> Iterable[Observation]:
        return _observations((measure.allowance.limit, measure.server) for measure in tuple(self.measures))


def _histogram(meter: Meter, name: str, what: str, bounds: tuple[float, ...] = _CALL_SECONDS) -> metrics.Histogram:
    return meter.create_histogram(name, "s", what, explicit_bucket_boundaries_advisory=bounds)


def _observations(values: Iterable[tuple[int | None, Attributes]]) -> Iterator[Observation]:
    return (Observation(value, server) for value, server in values if value is not None)


class Measure:
    """The measure of one client.

    Attributes:
        server: Where its calls go.
        allowance: As last seen in its own thread: gauges are read in another one.
    """

    def __init__(self, desk: FuseDesk, server: Attributes, instruments: Instruments) -> None:
        self.server = server
        self.allowance = desk.allowance
        self._desk = desk
        self._to = instruments
        self._statuses: dict[int, Attributes] = {}
        self._reason: Attributes = {}

    def told(self, event: Event) -> None:
        """Count it."""
        match event:
            case CallStarted():
                self._statuses[event.call] = {}
            case CallAnswered():
                self._answered(event)
            case CallLost():
                self._to.request_duration.record(event.seconds, self._about(event) | error_attributes(event.error))
            case CallRetried():
                self._to.retries.add(1, self._about(event) | error_attributes(event.error))
            case CallEnded():
                self._ended(event)
            case QuotaWait():
                self._held_back(event)
            case QuotaWaitOver():  # pragma: no branch - there is no other
                self._to.quota_wait.record(event.seconds, self.server | self._reason)
                self._reason = {}

    def _answered(self, event: CallAnswered) -> None:
        about, status = self._about(event), status_attributes(event.status)
        self._to.request_duration.record(event.seconds, about | status)
        if event.status == TOO_MANY_REQUESTS:
            self._to.refusals.add(1, about)
        if event.call in self._statuses:  # else its caller has left
            self._statuses[event.call] = status

    def _ended(self, event: CallEnded) -> None:
        about = self._about(event) | self._statuses.pop(event.call, {})
        if event.error is not None:
            about |= error_attributes(event.error)
        if event.cancelled:
            about |= {ERROR_TYPE: "cancelled"}
        self._to.calls.add(1, about)
        self._to.call_duration.record(event.seconds, about)
        self._to.call_wait.record(event.waited, self._about(event))
        self.allowance = self._desk.allowance

    def _held_back(self, event: QuotaWait) -> None:
        reason: Attributes = {"fusedesk.reason": event.reason}
        if not self._reason:
            self._to.quota_waits.add(1, self.server | reason)
        self._reason = reason

    def _about(self, event: CallAnswered | CallLost | CallRetried | CallEnded) -> Attributes:
        return self.server | request_attributes(event.request)


_OF_PROVIDERS: WeakKeyDictionary[MeterProvider, Instruments] = WeakKeyDictionary()
_OF_THE_GLOBAL_ONE: list[Instruments] = []  # apart, as before it is set the global provider is another object


def _instruments(provider: MeterProvider | None) -> Instruments:
    if provider is None or provider is metrics.get_meter_provider():
        if not _OF_THE_GLOBAL_ONE:
            _OF_THE_GLOBAL_ONE.append(Instruments(metrics.get_meter(NAME, __version__, None, SCHEMA)))
        return _OF_THE_GLOBAL_ONE[0]
    if provider not in _OF_PROVIDERS:
        _OF_PROVIDERS[provider] = Instruments(provider.get_meter(NAME, __version__, SCHEMA))
    return _OF_PROVIDERS[provider]
