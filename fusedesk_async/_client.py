"""The client: wires the parts and owns their life."""

import ssl
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import contextmanager
from datetime import date, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, TypeVar, Unpack, cast

import attrs

from fusedesk_async._checks import at_least_one, checked_path, one_of, positive
from fusedesk_async._clock import Clock, SystemClock, utc
from fusedesk_async._config import ProfileSource, Settings, read_environment, server_address
from fusedesk_async._events import Observer
from fusedesk_async._exports import public
from fusedesk_async._http.auth import AuthMode, KeyTransport
from fusedesk_async._http.exchange import Exchange, HttpTransport
from fusedesk_async._http.lifetime import Lifetime
from fusedesk_async._http.pipeline import OnRateLimit, Options, Pipeline, Priority
from fusedesk_async._http.proxies import route_to
from fusedesk_async._http.redaction import RedactingFilter
from fusedesk_async._http.retry import RetryPolicy
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async._ratelimit.limiter import RateLimiter
from fusedesk_async._reconcile.creation_log import CreationLog
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.api_key import ApiKey
from fusedesk_async._wire.call import Call, Method, Parameters
from fusedesk_async._wire.encode import Parts
from fusedesk_async._wire.profile import LearnedProfile, ServerProfile, shared_profile
from fusedesk_async._wire.scopes import checked_scopes, require
from fusedesk_async.errors import ConfigurationError, warn
from fusedesk_async.resources._name_resolver import NameResolver
from fusedesk_async.resources._resources import Resources

if TYPE_CHECKING:
    from fusedesk_async._ratelimit.protocol import Limiter
    from fusedesk_async.models import Access
    from fusedesk_async.models.directory import Directory
    from fusedesk_async.resources.cases import Cases
    from fusedesk_async.resources.session import Session

T = TypeVar("T")

MEBIBYTE = 1024 * 1024
VERSIONS = ("v1/", "v2/")
SendOnce: TypeAlias = Callable[[Call[Any], Parts], Awaitable[Answer]]
"""Sends a request, which events and the log show as the call, and gives its response as it is."""


@public
class FuseDesk(Resources):
    """A client for one FuseDesk app with one API key.

    Open it with `async with`, in one task or another, and keep it for as long as there is work: it holds the
    connections and what is known of the hourly quota.

    Args:
        app: The name of the app (`acme`), or any address of it pasted from the browser.
        api_key: A key from FuseDesk's Settings, API Keys.
        auth: Where the key goes: `header` (`X-FuseDesk-API-Key`), or `query` (`apikey`, in the query string of reads
            and in the form of writes; it may then show in logs of servers and proxies).
        base_url: Another address than `https://<app>.fusedesk.com`, for sandboxes and tests.
        timeout: Seconds for one attempt, from connecting to the last byte read. Waiting for quota or for a
            free connection does not count. A search by email asks the CRM and may want more.
        retry: When a failed call is tried again, and how long an interactive call waits for quota.
        limiter: What is known of the hourly quota, if several clients of the same key are to share it, or several
            processes: `RateLimiter(shared=…)`. Or a `Limiter` of your own.
        concurrency: How many requests may be in flight at once; also the number of connections.
        on_rate_limit: `wait` for quota, or `raise` a `RateLimitError`, as suits workers of a job queue.
        strict: Whether odd answers that could be dealt with raise `UnexpectedResponseError` instead of warning.
        max_body: Bytes. A longer body, after decompression, is refused.
        proxy: The address of an HTTP proxy.
        trust_env: Whether, without `proxy`, that of the environment is used: HTTPS_PROXY or ALL_PROXY, but for the
            hosts of NO_PROXY. `from_env` and the command line do. A server on this machine is always asked directly.
        verify: A file or folder of certificates to trust in place of the usual ones (those of SSL_CERT_FILE or
            SSL_CERT_DIR, if set). False switches the check of certificates off, which shows the key to anybody on the
            way.
        transport: What carries the requests instead of real connections, such as `httpx.ASGITransport`.
        clock: Monotonic time, wall time and sleep, instead of the real ones.
        profile: What was found out about the server before: a `ServerProfile`, or a file of one, which is read if it is
            there, and written when the client is closed and knows more. With `auto` it begins with what other clients
            of this process have found out about the same server.

    Raises:
        ConfigurationError: One of these cannot be right. Nothing has been sent.
    """

    cases: "Cases"
    """Everything one can do with cases: `search`, `walk`, `get`, `create` and more; see `Cases`."""

    session: "Session"
    """What the key may do, and what the account says of itself; see `Session`."""

    _is_view = False

    def __init__(
        self,
        app: str,
        *,
        api_key: str | ApiKey,
        auth: AuthMode = "header",
        base_url: str | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        limiter: "Limiter | None" = None,
        concurrency: int = 4,
        on_rate_limit: OnRateLimit = "wait",
        strict: bool = False,
        max_body: int = 64 * MEBIBYTE,
        proxy: str | None = None,
        trust_env: bool = False,
        verify: bool | str | ssl.SSLContext = True,
        transport: HttpTransport | None = None,
        clock: Clock | None = None,
        profile: ProfileSource = "auto",
    ) -> None:
        try:
            key = api_key if isinstance(api_key, ApiKey) else ApiKey(api_key)
        finally:
            del api_key  # tracebacks may show local variables
        self._base_url = server_address(app, base_url)
        self._clock, self._limiter = clock or SystemClock(), RateLimiter() if limiter is None else limiter
        self._lifetime, self._log_filter = Lifetime(), RedactingFilter(key.redact)
        self._names, self._creations, self._account = NameResolver(), CreationLog(), key.account_at(self._base_url)
        self._begin_profile(self._profile_of(app, profile, transport))
        connections = self._connections = at_least_one(concurrency, "concurrency")
        route = route_to(self._base_url, proxy, trust_env=trust_env)
        inner = transport or _make_transport(connections, route.proxy, verify, self._clock)
        exchange = Exchange(
            KeyTransport(inner, self._base_url, key, one_of(auth, AuthMode, "auth")),
            self._base_url,
            max_body=at_least_one(max_body, "max_body"),
            redact=key.redact,
            clock=self._clock,
            connect_note="" if transport else route.note,
        )
        self._pipeline = Pipeline(
            exchange, self._limiter, self._clock, concurrency=connections, redact=key.redact, strict=strict
        )
        self._set_options(
            Options(
                timeout=positive(timeout, "timeout"),
                retry=retry or RetryPolicy(),
                on_rate_limit=one_of(on_rate_limit, OnRateLimit, "on_rate_limit"),
            )
        )

    def _profile_of(self, app: str, given: ProfileSource, transport: HttpTransport | None) -> LearnedProfile:
        """What is known of the server at the beginning.

        Raises:
            ConfigurationError: It is no profile, or in no file of one, or in a folder that is not there.
        """
        clock = self._clock

        def today() -> date:
            return utc(clock.time()).date()

        is_path = not isinstance(given, ServerProfile) and given != "auto"
        self._profile_path = checked_path(given, "profile") if is_path else None
        if given == "auto":
            return shared_profile(self._base_url, app, transport, today)
        learned = LearnedProfile(today=today)
        if isinstance(given, ServerProfile):
            learned.begin_with(given.checked())
        elif self._profile_path and self._profile_path.exists():
            learned.begin_with(ServerProfile.load(self._profile_path))
        elif self._profile_path and not self._profile_path.parent.is_dir():
            message = f"there is no folder {self._profile_path.parent} for the profile"
            raise ConfigurationError(message)
        return learned

    def _begin_profile(self, learned: LearnedProfile) -> None:
        self._profile, self._began_with = learned, learned.value
        self.begin_with(learned.value)

    @classmethod
    def from_env(cls, **settings: Unpack[Settings]) -> Self:
        """A client for the app in `FUSEDESK_APP` with the key in `FUSEDESK_API_KEY`.

        `FUSEDESK_BASE_URL` gives another address, for sandboxes; the app may then be missing. A proxy that the
        environment names is used unless `trust_env=False` is given. `FUSEDESK_PROFILE` is a file of what is known of
        the server. `FUSEDESK_SHARED_QUOTA` is where all processes that use the key share its quota, unless a `limiter`
        is given: an address as `fusedesk_async.fleet.shared_quota` takes it, such as `sqlite:////folder/file`.

        Args:
            **settings: All other arguments of `FuseDesk`, such as `timeout` or `concurrency`.

        Raises:
            ConfigurationError: One of them is missing or cannot be right.
        """
        found = read_environment()
        settings.setdefault("trust_env", True)
        settings.setdefault("profile", found.profile)
        if found.shared_quota and settings.get("limiter") is None:
            from fusedesk_async.fleet import shared_quota

            settings["limiter"] = RateLimiter(shared=shared_quota(found.shared_quota))
        return cls(found.app, api_key=found.api_key, base_url=found.base_url, **settings)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        priority: Priority | None = None,
        on_rate_limit: OnRateLimit | None = None,
    ) -> Self:
        """A light view of this client with other options. It shares all else with it and needs no closing.

        Connections, limiter, observers, the names that were looked up: a view has the very objects of its client.

        Args:
            timeout: Seconds for one attempt.
            retry: When a failed call is tried again.
            priority: `interactive`, or `bulk` for work that lets interactive calls go first and waits for quota as
                long as it takes. By default walks and `get_many` are bulk, all else is interactive.
            on_rate_limit: `wait` or `raise`.
        """
        view = object.__new__(type(self))  # every attribute is shared, so what changes one changes the other
        vars(view).update(vars(self), _is_view=True)
        old = self._options
        view._set_options(
            Options(
                timeout=old.timeout if timeout is None else positive(timeout, "timeout"),
                retry=retry or old.retry,
                priority=old.priority if priority is None else one_of(priority, Priority, "priority"),
                on_rate_limit=one_of(on_rate_limit or old.on_rate_limit, OnRateLimit, "on_rate_limit"),
            )
        )
        return view

    async def call(
        self,
        method: Method,
        path: str,
        *,
        query: Parameters | None = None,
        form: Parameters | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Any call of the API, for what has no method yet, with the same care as the others.

        Args:
            method: `GET`, `POST` or `DELETE`.
            path: Below the API's root, such as `cases/42/snooze`; with a version in front if it is not `v1`.
            query: Parameters of the query string, under the API's names; None and False are left out.
            form: Fields of the form of a POST, in the same way.
            repeatable: Whether doing it twice is the same as doing it once. By default only reads are.

        Returns:
            The answer as parsed JSON; None if it was empty.
        """
        from fusedesk_async._wire.readers import anything

        return await self._sender(
            Call(
                method=one_of(method, Method, "method"),
                path=path if path.startswith(VERSIONS) else f"v1/{path}",
                read=anything,
                query=query or {},
                form=form or {},
                repeatable=method == "GET" if repeatable is None else repeatable,
            )
        )

    async def check(self, *, needs: Collection[str] = ()) -> "Access":
        """Whether app and key are good, and what the key may do; one call (`GET session/permissions`, plugin).

            await desk.check(needs={"cases", "cases_update"})  # before a job that takes hours

        Args:
            needs: Scopes without which the job makes no sense. Names that are not public are taken as they are.

        Raises:
            AuthenticationError: The key is wrong.
            NotSentError: There is no such server.
            PermissionDeniedError: Some of `needs` are missing; `missing` and the text name all of them.
            ConfigurationError: `needs` is not a set of names. Nothing was sent.
        """
        from fusedesk_async.models import Access

        wanted = checked_scopes(needs)
        access = Access(base_url=self._base_url, scopes=await self.session.permissions())
        require(wanted, access.scopes)
        return access

    async def directory(self, *, refresh: bool = False) -> "Directory":
        """Departments, reps and case tags by their names; three calls the first time, none after that.

            directory = await desk.directory()
            directory.rep("Marta Lindgren").user_id

        Wherever a name is given in place of an id (`department="Billing"`), the client looks it up here, and fetches of
        the three lists the one that it needs if that has not been done. What was renamed or added since is found after
        a refresh; a list that is being iterated keeps to the ids it began with.

        Args:
            refresh: Fetch all three lists anew.

        Raises:
            PermissionDeniedError: The key may read none of them. One that it may not read is refused when it is asked.
        """
        return await self._names.directory(self._sender, refresh=refresh)

    @property
    def base_url(self) -> str:
        """The address that is asked, such as `https://acme.fusedesk.com`."""
        return self._base_url

    @property
    def clock(self) -> Clock:
        """What brings the time: the clock it was made with, or the system's."""
        return self._clock

    @property
    def profile(self) -> ServerProfile:
        """What is known of the server now."""
        limiter, creations, learned = self._limiter, self._creations, self._profile
        counting = {"usage_header": limiter.usage_header, "usage_counts": limiter.usage_counts}
        found: dict[str, Any] = {name: value for name, value in counting.items() if value is not None}
        if creations.looked:
            found["keeps_date_opened"] = creations.keeps_date_opened
            found["date_filter_works"] = creations.date_filter_works or None
        learned.learn(**{name: value for name, value in found.items() if value != getattr(learned.value, name)})
        return learned.value

    def begin_with(self, profile: ServerProfile) -> None:
        """Begin with what an earlier client has found out about the server, as far as nothing is known yet.

        Args:
            profile: That client's `profile`.

        Raises:
            ConfigurationError: It cannot be right.
        """
        self._profile.begin_with(profile.checked())
        value = self._profile.value
        self._limiter.begin_with(value)
        self._creations.begin_with(value)

    @property
    def server_time(self) -> datetime | None:
        """What the server's clock shows now, in UTC, as the `Date` of its last response had it; None before it told."""
        clock = self._pipeline.server_clock
        return None if clock.ahead is None else utc(self._clock.time() + clock.ahead)

    def estimate(self, calls: int, *, concurrency: int | None = None) -> Estimate:
        """How long a number of bulk calls would take from now on, in seconds, waiting for quota included.

            estimate = desk.estimate(5_000)
            print(f"{estimate.at_least:.0f} to {estimate.at_most:.0f} s")

        The range holds once a response has come, whatever kind of hour the server keeps, as long as responses go on
        taking about as long, no other program begins to use the key, and interactive calls keep to the reserve.

        Args:
            calls: How many calls.
            concurrency: How many of them are in flight at once; by default as many as the client may send.
        """
        return self._limiter.estimate(calls, concurrency=min(concurrency or self._connections, self._connections))

    @property
    def allowance(self) -> Allowance:
        """What is known of the hourly allowance."""
        return self._limiter.allowance

    @contextmanager
    def observe(self, observer: Observer) -> Generator[None, None, None]:
        """Call a function for every call, answer, retry and wait for quota, while the block lasts.

        For progress bars, counters and metrics (those of OpenTelemetry: `fusedesk_async.otel`). It is called at once,
        in the event loop, so it must be quick. If it raises, that is logged and goes no further. Waits are those of
        the limiter: where several clients share one, each observer sees all. Of calls that began when nobody
        observed, the end is not seen.

        Args:
            observer: Called with a `CallStarted`, `CallAnswered`, `CallLost`, `CallRetried`, `CallEnded`, `QuotaWait`,
                `QuotaWaitOver`, `QuotaStoreLost` or `QuotaStoreBack`.
        """
        with self._pipeline.observers.subscribed(observer), self._limiter.observers.subscribed(observer):
            yield

    async def aclose(self) -> None:
        """Close the client: writes in flight end, reads in flight are cancelled, calls that wait fail."""
        self._refuse_view()
        if self._lifetime.end():
            try:
                await self._pipeline.aclose()
                self._save_profile()
            finally:
                self._log_filter.end()

    def _save_profile(self) -> None:
        """Write what is known of the server, if it was given as a file and there is news.

        The work is done by then, or has failed for another reason, so that it only warns if it cannot.
        """
        profile, path = self.profile, self._profile_path
        if path is not None and profile != self._began_with:
            try:
                profile.save(path)
            except ConfigurationError as error:
                warn(error.message)

    async def __aenter__(self) -> Self:
        self._refuse_view()
        self._pipeline.open(self._account)
        self._lifetime.begin()
        self._log_filter.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, '_base_url', '')!r})"  # debuggers print half-made ones, too

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = "a client holds connections and a key, so it is not pickled or copied; make one in each process"
        raise TypeError(message)

    def _refuse_view(self) -> None:
        if self._is_view:
            message = "a view made by with_options lives as long as its client and is not opened or closed"
            raise ConfigurationError(message)

    def _set_options(self, options: Options) -> None:
        # loaded here rather than with the package, and rather here than in the middle of work
        from fusedesk_async.resources.cases import Cases
        from fusedesk_async.resources.session import Session

        self._options = options
        self._sender = _Sender(self._pipeline, options, self._lifetime, self._names)
        clock = self._pipeline.server_clock
        self.cases = Cases(self._sender, clock, self.directory, self._creations, options.timeout, self._profile)
        self.session = Session(self._sender)


def send_once_for(desk: FuseDesk, *, patience: float, priority: Priority = "bulk") -> SendOnce:
    """What sends one request of a client and gives its response as it is, whatever it says.

    Args:
        desk: The client.
        patience: Seconds. A bulk request fails rather than let the quota delay it longer than this.
        priority: `bulk` or `interactive`.
    """
    sender = cast("_Sender", desk._sender)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - of the class above
    return sender.send_once_for(patience, priority)


@attrs.frozen(eq=False, repr=False)
class _Sender:
    """Carries out the calls of a client, or of one of its views, with its options."""

    _pipeline: Pipeline
    _options: Options
    _lifetime: Lifetime
    _names: NameResolver

    async def __call__(self, call: Call[T]) -> T:
        """The result of a call.

        Raises:
            FuseDeskError: Whatever went wrong.
        """
        self._lifetime.check()
        return await self._pipeline.send(await self.resolve(call), self._options)

    async def resolve(self, call: Call[T]) -> Call[T]:
        """The call with ids in place of its names; the same call if it has none."""
        return await self._names.resolve(call, self)

    def send_once_for(self, patience: float, priority: Priority) -> SendOnce:
        """What sends one request and gives its response as it is."""
        options = attrs.evolve(self._options, priority=priority, on_rate_limit="wait", bulk_patience=patience)

        async def send_once(call: Call[Any], parts: Parts) -> Answer:
            self._lifetime.check()
            return await self._pipeline.send_once(call, parts, options)

        return send_once


def _make_transport(
    max_connections: int,
    proxy: str | None,
    verify: bool | str | ssl.SSLContext,  # noqa: FBT001 - as the client has it
    clock: Clock,
) -> HttpTransport:
    if verify is False:
        warn("certificates are not checked: anybody between here and FuseDesk can read the API key")
    # the library of the sockets is loaded only where there will be sockets
    from fusedesk_async._http.connections import make_transport

    return make_transport(max_connections=max_connections, proxy=proxy, verify=verify, clock=clock)
