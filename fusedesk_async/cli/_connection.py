"""Which server, and with which key: options, environment, and the client made of them."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, Literal, NoReturn, cast

import attrs
import click

from fusedesk_async import ConfigurationError, FuseDesk, RateLimiter

API_KEY_VARIABLE = "FUSEDESK_API_KEY"
RESERVE = 0.1
"""Part of the hour's calls that bulk calls leave to interactive ones, unless an option says otherwise."""


@attrs.frozen(kw_only=True)
class Connection:
    """What the options and the environment say about the server."""

    app: str | None
    base_url: str | None
    auth: Literal["header", "query"]
    proxy: str | None = attrs.field(default=None, repr=False)
    ca: str | None = None
    profile: str | None = None
    share: str | None = attrs.field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The server, as messages name it."""
        return self.base_url or self.app or ""

    def client(self, *, reserve: float = RESERVE, needs_key: bool = True) -> FuseDesk:
        """A client, not yet opened.

        Args:
            reserve: Part of the hour's calls that bulk calls leave to interactive ones.
            needs_key: Whether a key is asked for if there is none. A client without one refuses all calls.

        Raises:
            ConfigurationError: The app or the key is missing or cannot be right.
        """
        if not self.name:
            message = "which app? Give --app, or set FUSEDESK_APP to the name of your app, such as acme"
            raise ConfigurationError(message)
        given: dict[str, Any] = {"base_url": self.base_url, "auth": self.auth, "limiter": self._limiter(reserve)}
        given |= {"profile": self.profile or "auto"}
        given |= {"proxy": self.proxy, "trust_env": True, "verify": self.ca or True}
        if not needs_key and not os.environ.get(API_KEY_VARIABLE):
            return FuseDesk(self.app or "sandbox", api_key="none", transport=cast("Any", _NoKey()), **given)
        return FuseDesk(self.app or "sandbox", api_key=_api_key(), **given)

    def _limiter(self, reserve: float) -> RateLimiter:
        if not self.share:
            return RateLimiter(reserve=reserve)
        from fusedesk_async.fleet import shared_quota  # noqa: PLC0415 - loaded where it is needed

        return RateLimiter(reserve=reserve, shared=shared_quota(self.share))


class _NoKey:
    """Stands in for the connections of a client that has no key."""

    async def handle_async_request(self, _: object) -> NoReturn:
        """Refuse a call."""
        message = f"this needs calls of FuseDesk, as for departments given by name; set {API_KEY_VARIABLE}"
        raise ConfigurationError(message)

    async def aclose(self) -> None:
        """There is nothing to close."""


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where the server is; it is called with a `Connection`."""

    @click.option("--app", metavar="NAME", envvar="FUSEDESK_APP", show_envvar=True, help="Name of the FuseDesk app.")
    @click.option(
        "--base-url",
        metavar="URL",
        envvar="FUSEDESK_BASE_URL",
        show_envvar=True,
        help="Ask this address, such as a sandbox's, in place of https://NAME.fusedesk.com.",
    )
    @click.option(
        "--auth",
        type=click.Choice(["header", "query"]),
        default="header",
        show_default=True,
        help="Send the key in a header, or in the query string.",
    )
    @click.option(
        "--proxy", metavar="URL", help="Ask by this HTTP proxy. [default: HTTPS_PROXY or ALL_PROXY, but for NO_PROXY]"
    )
    @click.option(
        "--ca",
        metavar="PATH",
        help="Trust the certificates in this file or folder. [default: SSL_CERT_FILE, or certifi]",
    )
    @click.option(
        "--profile",
        metavar="PATH",
        envvar="FUSEDESK_PROFILE",
        show_envvar=True,
        help="Keep what is found out about the server in this file, and begin with that.",
    )
    @click.option(
        "--share",
        metavar="URL",
        envvar="FUSEDESK_SHARED_QUOTA",
        show_envvar=True,
        help="Share the key's quota with all processes that name this sqlite:///FILE, postgresql:// or redis:// URL.",
    )
    @functools.wraps(command)
    def with_connection(auth: Any, **options: Any) -> None:
        given = {name: options.pop(name) or None for name in ("app", "base_url", "proxy", "ca", "profile", "share")}
        command(connection=Connection(auth=auth, **given), **options)

    return with_connection


def _api_key() -> str:
    """The key, from the environment or from a hidden prompt; never from an argument, which others could see."""
    if key := os.environ.get(API_KEY_VARIABLE):
        return key
    if not sys.stdin.isatty():
        message = f"the API key is missing; set {API_KEY_VARIABLE} (an argument would show it to other users)"
        raise ConfigurationError(message)
    key = click.prompt("FuseDesk API key", hide_input=True, err=True)
    return str(key)
