"""A call of the API as plain data, and the one thing that can carry it out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar
from uuid import UUID

import attrs

from fusedesk_async._json import JSONText
from fusedesk_async.errors import ConfigurationError, FuseDeskError, UnexpectedResponseError

if TYPE_CHECKING:
    from fusedesk_async._wire.name_refs import NameRef

LARGEST_PAGE = 500
"""Rows in a page of a list. The seed page allows no more."""

T = TypeVar("T")
Method: TypeAlias = Literal["GET", "POST", "DELETE"]
Parameters: TypeAlias = Mapping[str, Any]
Notice: TypeAlias = Callable[[UnexpectedResponseError], None]
"""Told of what could not be read but can be done without; raises it if the caller wants no such thing."""
Report: TypeAlias = Callable[[UnexpectedResponseError], UnexpectedResponseError]
"""A `Notice` as readers see it: it gives the error back, complete with what was asked and without the key."""
Reader: TypeAlias = Callable[[JSONText, Report], T]
"""Makes the result of a good answer from its JSON, an empty text if there was none.

It may raise `UnexpectedResponseError`."""
BeforeSending: TypeAlias = Callable[[], Awaitable[object]]
"""Awaited right before a request leaves, once per attempt, after all waits; if it raises, nothing leaves."""

OnRetry: TypeAlias = Callable[[FuseDeskError], None]


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """What to ask, how to read the answer, and whether asking twice does harm.

    Attributes:
        method: The HTTP method.
        path: Below the API's root, version included: `v1/cases/42`.
        read: Makes the result of a good answer.
        query: Parameters in the query string, under the API's names; None and False are left out.
        form: Fields of the body, likewise.
        repeatable: Whether doing it twice is the same as doing it once. Reads are; writes only if declared so.
        bulk: Whether it lets interactive calls go first, unless the caller's `priority` says otherwise.
        on_notice: Told, besides the client's own notice, of what could not be read but was done without.
        before_sending: Awaited right before each attempt leaves.
        last_segment: A name whose id belongs at the end of the path.
        attempts: It is sent no more often than this, even if the retry policy would; None leaves it to the policy.
        on_retry: Told of each failure after which it is sent again.

    Names (`NameRef`) in `query`, in `form` or as `last_segment` give way to ids before the call is sent: in a new call,
    made by `CallSender.resolve`.
    """

    method: Method
    path: str
    read: Reader[T]
    query: Parameters = attrs.field(factory=dict[str, Any])
    form: Parameters = attrs.field(factory=dict[str, Any])
    repeatable: bool = False
    bulk: bool = False
    on_notice: Notice | None = attrs.field(default=None, eq=False, repr=False)
    before_sending: BeforeSending | None = attrs.field(default=None, eq=False, repr=False)
    last_segment: "NameRef | None" = None
    attempts: int | None = attrs.field(default=None, eq=False, repr=False)
    on_retry: OnRetry | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def writes(self) -> bool:
        """Whether the call changes something on the server."""
        return self.method != "GET"


def get(path: str, read: Reader[T], query: Parameters | None = None) -> Call[T]:
    """A call that only reads, so it may be repeated."""
    return Call(method="GET", path=path, read=read, query=query or {}, repeatable=True)


def post(
    path: str,
    read: Reader[T],
    form: Parameters | None = None,
    *,
    query: Parameters | None = None,
    repeatable: bool = False,
) -> Call[T]:
    """A call that writes. Say `repeatable=True` where doing it twice changes nothing."""
    return Call(method="POST", path=path, read=read, query=query or {}, form=form or {}, repeatable=repeatable)


def delete(path: str, read: Reader[T]) -> Call[T]:
    """A call that takes something away. Doing it twice changes nothing: what is gone is gone."""
    return Call(method="DELETE", path=path, read=read, repeatable=True)


class CallSender(Protocol):
    """Carries out calls and looks up the names in them.

    A call with names can be sent as it is. What sends one call many times, as a list does for its pages, resolves it
    first, so that a name stands for one id from the first page to the last.
    """

    async def __call__(self, call: Call[T]) -> T:
        """The result, or a `FuseDeskError`."""
        ...

    async def resolve(self, call: Call[T]) -> Call[T]:
        """The call with ids in place of its names; the same call if it has none.

        Raises:
            NameLookupError: None or several have such a name.
            PermissionDeniedError: The key may not read what has it.
        """
        ...


def number(value: int, what: str) -> str:
    """An id as part of a path; nothing but a whole number gets through, so no path can be smuggled in.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = f"{what} is a whole number, not {value!r}"
        raise ConfigurationError(message)
    return str(int(value))  # an enum's own text is its name


def text_id(value: int | str | UUID, what: str) -> str:
    """An id that may be a text, as one part of a path.

    Raises:
        ConfigurationError: It is something else, or would be more than one part, or another one.
    """
    if isinstance(value, int):
        return number(value, what)
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str) or text.strip() in {"", ".", ".."} or "/" in text:
        message = f"{what} is a number, a UUID or a text without a slash, not {value!r:.80}"
        raise ConfigurationError(message)
    return str.__str__(text)
