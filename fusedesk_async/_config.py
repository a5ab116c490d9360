"""Where the server is and what it may cost to ask it: settings, checked before anything is sent."""

import os
import re
import ssl
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import attrs

from fusedesk_async._clock import Clock
from fusedesk_async._http.auth import AuthMode
from fusedesk_async._http.exchange import HttpTransport
from fusedesk_async._http.pipeline import OnRateLimit
from fusedesk_async._http.retry import RetryPolicy
from fusedesk_async._wire.api_key import ApiKey
from fusedesk_async._wire.profile import ServerProfile
from fusedesk_async.errors import ConfigurationError

if TYPE_CHECKING:
    from fusedesk_async._ratelimit.protocol import Limiter

ProfileSource: TypeAlias = ServerProfile | str | os.PathLike[str]
"""What is known of a server: a value, the path of a file, or `auto`."""


class Settings(TypedDict, total=False):
    """The arguments of `FuseDesk` other than app, key and address."""

    auth: AuthMode
    timeout: float
    retry: RetryPolicy
    limiter: "Limiter | None"
    concurrency: int
    on_rate_limit: OnRateLimit
    strict: bool
    max_body: int
    proxy: str | None
    trust_env: bool
    verify: bool | str | ssl.SSLContext
    transport: HttpTransport | None
    clock: Clock | None
    profile: ProfileSource


LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


LARGEST_PORT = 65_535


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


_APP = rf"(?:(?:https?:)?//)?({_LABEL})(?:\.(?:fusedesk|infusionsoft)\b.*)?"


_ADDRESS = rf"(https?)://({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(\d{{1,5}}))?(?:/[\w./~-]*)?"


_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL  # ASCII: else IGNORECASE takes the Kelvin sign for a k


def base_url_of_app(app: str) -> str:
    """The address of an app, given by its name or by any address pasted from the browser.

    The protocol in front and everything from `.fusedesk` or `.infusionsoft` on is dropped, as in FuseDesk's own
    plugin. What is left must be a single DNS label: with anything else the key would go to another host.

    Raises:
        ConfigurationError: It is not. The message leaves a query out, since it might hold a key.
    """
    found = re.fullmatch(_APP, app.strip(), _FLAGS) if isinstance(app, str) else None
    if found is None:
        start = app.partition("?")[0] if isinstance(app, str) else app
        message = f"app {start!r:.80} is not the name of a FuseDesk app, such as 'acme' in https://acme.fusedesk.com"
        raise ConfigurationError(message)
    return f"https://{found[1].lower()}.fusedesk.com"


def checked_base_url(url: str) -> str:
    """A base address for tests and sandboxes, without a slash at its end.

    Raises:
        ConfigurationError: It is not a plain http address, carries a user, a query or a fragment, or would send the
            key unencrypted to another machine.
    """
    found = re.fullmatch(_ADDRESS, url, _FLAGS) if isinstance(url, str) else None
    if found is None or int(found[3] or 0) > LARGEST_PORT:
        message = "base_url must look like https://host or http://127.0.0.1:8080, without user, query or fragment"
        raise ConfigurationError(message)
    if found[1].lower() == "http" and found[2].lower() not in LOOPBACK:
        message = f"base_url http://{found[2]} would send the API key unencrypted; use https"
        raise ConfigurationError(message)
    return url.rstrip("/")


def server_address(app: str, base_url: str | None) -> str:
    """Where an app is asked: at its own address, or at another one for tests and sandboxes.

    Raises:
        ConfigurationError: As `base_url_of_app` and `checked_base_url`.
    """
    app_url = base_url_of_app(app)
    return app_url if base_url is None else checked_base_url(base_url)


@attrs.frozen(eq=False, repr=False)
class Environment:
    """What the environment says about the app and the key."""

    app: str
    api_key: ApiKey
    base_url: str | None
    profile: str = "auto"
    shared_quota: str | None = None


def read_environment() -> Environment:
    """Read `FUSEDESK_APP`, `FUSEDESK_API_KEY`, `FUSEDESK_BASE_URL`, `FUSEDESK_PROFILE`, `FUSEDESK_SHARED_QUOTA`.

    Raises:
        ConfigurationError: The key is missing, or both the app and the base address are.
    """
    base_url = os.environ.get("FUSEDESK_BASE_URL") or None
    app = os.environ.get("FUSEDESK_APP") or ("sandbox" if base_url else "")
    if not app:
        message = "set FUSEDESK_APP to the name of your app, such as acme (or FUSEDESK_BASE_URL to an address)"
        raise ConfigurationError(message)
    profile = os.environ.get("FUSEDESK_PROFILE") or "auto"
    shared = os.environ.get("FUSEDESK_SHARED_QUOTA") or None
    return Environment(app, ApiKey(os.environ.get("FUSEDESK_API_KEY", "")), base_url, profile, shared)
