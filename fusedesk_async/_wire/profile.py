"""What is found out about a server while it is used. No source says how FuseDesk orders and caps its lists."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, cast
from weakref import WeakKeyDictionary

import attrs
import msgspec

from fusedesk_async._durable_files import write_durably
from fusedesk_async._exports import public
from fusedesk_async.errors import ConfigurationError

logger = logging.getLogger("fusedesk_async")

OrderBy: TypeAlias = Literal["caseid asc", "caseid", ""]
"""Ways to ask for the order of ids, the best first; the last is to ask for none."""
Direction: TypeAlias = Literal["ascending", "descending", "none"]
Nothing: TypeAlias = Literal["list", "empty", "false", "null", "error", "404"]
"""Ways to say that there are no rows: `[]`, an empty body or text, `false`, `null`, an error that says so, a 404."""
UsageCounts: TypeAlias = Literal["left", "used"]

FREE = frozenset({"usage_header", "usage_counts"})
"""What every response shows, so that it changes nothing for the user."""
VERSION = 1
BELIEVED_DAYS = 30
"""Days for which is believed what can only be wrong without being noticed."""


@public
@attrs.frozen(kw_only=True)
class ServerProfile:
    """What a server was found to do; None for what is not known yet. Nothing of a customer or a key is in it.

    What a response contradicts is noticed, and found out anew. What no response would contradict, such as that larger
    pages are refused, is believed for thirty days after `learned_on`, and not at all without that date.

    Attributes:
        order: How it is asked for the order of ids: the first way that it took.
        direction: How ids run when it is asked so.
        descending: Whether it sorts by `caseid desc` when it is asked to.
        page_limit: Rows. It refuses larger limits, or sends no more.
        nothing: How it says that a list is empty, if not by `[]`.
        short_pages: Whether pages come short in the middle of a list, as if it filtered them after it cut them out.
        usage_header: Name of the header that counts calls, in lower case.
        usage_counts: Whether that counts the calls that are left or those that were used.
        keeps_date_opened: Whether it keeps a date of opening that is asked for.
        date_filter_works: Whether a search by date was seen to bring a case that was known to have that date.
        learned_on: The day (UTC) on which the oldest of this was found out.
    """

    order: OrderBy | None = None
    direction: Direction | None = None
    descending: bool | None = None
    page_limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    nothing: Nothing | None = None
    short_pages: bool | None = None
    usage_header: str | None = None
    usage_counts: UsageCounts | None = None
    keeps_date_opened: bool | None = None
    date_filter_works: bool | None = None
    learned_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """What is known, with the version of the format, as values of JSON."""
        known = cast("dict[str, Any]", msgspec.to_builtins(self))
        return {"version": VERSION} | {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """A profile from what `to_json` gave. Members that are not known are passed over.

        Raises:
            ConfigurationError: It is none, or of a newer version of this library.
        """
        version: Any = cast("dict[str, Any]", value).get("version") if isinstance(value, dict) else None
        if version != VERSION:
            message = f"this is no profile of a server of version {VERSION}"
            raise ConfigurationError(message)
        try:
            return msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            message = f"this profile of a server cannot be right: {error}"
            raise ConfigurationError(message) from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """A profile from a file.

        Raises:
            ConfigurationError: It cannot be read, or holds none.
        """
        try:
            return cls.from_json(msgspec.json.decode(Path(path).read_bytes()))
        except OSError as error:
            message = f"cannot read the profile in {path}: {error.strerror or error}"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = f"the profile in {path} is no JSON"
        except ConfigurationError as error:
            message = f"cannot use the profile in {path}: {error.message}"
        raise ConfigurationError(message)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it into a file that only its owner can read; after a crash it is there as it was, or whole.

        Raises:
            ConfigurationError: It cannot be written.
        """
        try:
            write_durably(Path(path), msgspec.json.format(msgspec.json.encode(self.to_json())) + b"\n")
        except OSError as error:
            message = f"cannot write the profile to {path}: {error.strerror or error}"
            raise ConfigurationError(message) from error

    def checked(self) -> Self:
        """The profile itself.

        Raises:
            ConfigurationError: One of its values is none that it can have.
        """
        type(self).from_json(self.to_json())
        return self

    def believed(self, today: date) -> Self:
        """What is believed of it without having been seen by a client itself."""
        if self.learned_on is not None and abs((today - self.learned_on).days) < BELIEVED_DAYS:
            return self  # a day to come is that of a clock which is ahead
        return type(self)(
            order=self.order if self.order == "caseid asc" else None,
            direction=None if self.direction == "none" else self.direction,
            descending=self.descending or None,
            usage_header=self.usage_header,
            usage_counts=self.usage_counts,
        )


def _today() -> date:
    return datetime.now(UTC).date()


@attrs.define(eq=False)
class LearnedProfile:
    """The profile of a server, as it grows; clients of the same server share it, in other threads as well.

    Attributes:
        value: What is known by now.
        longest_page: The most rows that came in one page.
        today: Gives the day (UTC).
    """

    value: ServerProfile = attrs.field(factory=ServerProfile)
    longest_page: int = 0
    today: Callable[[], date] = _today
    _given: frozenset[str] = frozenset()
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def begin_with(self, profile: ServerProfile) -> None:
        """Believe what an earlier client has found out, as far as nothing is known yet."""
        believed = profile.believed(self.today())
        with self._lock:
            known = {name for name, value in _known(self.value).items() if value is not None}
            new = {name: value for name, value in _known(believed).items() if value is not None and name not in known}
            self._given |= new.keys() - {"learned_on"}
            days = [day for day in (self.value.learned_on, believed.learned_on) if day is not None]
            if new and days:
                new["learned_on"] = min(days)
            self.value = attrs.evolve(self.value, **new)

    def is_given(self, name: str) -> bool:
        """Whether a value came from an earlier client, and was not confirmed since."""
        return name in self._given

    @property
    def order(self) -> OrderBy | None:
        """How to ask for the order of ids. To ask for none is not taken over: what is lost by that is never seen."""
        return None if self.value.order == "" and self.is_given("order") else self.value.order

    def learn(self, **changes: Any) -> None:
        """Take note of what was found out, and log what is new.

        If it contradicts what an earlier client has found out, the rest of that is not believed without a look either.
        """
        with self._lock:
            old = _known(self.value)
            new = {name: value for name, value in changes.items() if value != old[name]}
            wrong = {name for name in new if name in self._given}
            self._given -= changes.keys()
            if wrong and self._given:
                new = self._doubted() | new
            if new:
                self.value = attrs.evolve(self.value, **{"learned_on": self.value.learned_on or self.today()} | new)
        for name, value in new.items():
            level = logging.DEBUG if name in FREE else logging.INFO
            shown = "unknown" if value is None else repr(value)
            logger.log(level, "the server's %s: %s", name.replace("_", " "), shown)

    def _doubted(self) -> dict[str, Any]:
        """What is not believed any more, as it would not be of a profile without a date."""
        old, kept = _known(self.value), _known(attrs.evolve(self.value, learned_on=None).believed(self.today()))
        lost = {name: None for name in self._given if old[name] != kept[name]}
        self._given -= lost.keys()
        return lost


def _known(profile: ServerProfile) -> dict[str, Any]:
    return attrs.asdict(profile)


_shared: dict[tuple[str, str], LearnedProfile] = {}
_shared_by_transport: WeakKeyDictionary[object, dict[tuple[str, str], LearnedProfile]] = WeakKeyDictionary()


def shared_profile(base_url: str, app: str, transport: object | None, today: Callable[[], date]) -> LearnedProfile:
    """What the clients of this process have found out of a server.

    Args:
        base_url: Its address.
        app: The app.
        transport: What carries the requests in place of connections, so that it may be another server.
        today: Gives the day, for the first client.
    """
    try:
        servers = _shared if transport is None else _shared_by_transport.setdefault(transport, {})
    except TypeError:  # it cannot be referred to weakly, so nothing else can have it for sure
        servers = {}
    return servers.setdefault((base_url, app), LearnedProfile(today=today))
