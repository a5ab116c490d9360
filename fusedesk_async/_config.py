"""Where the server is and what it may cost to ask it: settings, checked before anything is sent."""

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from fusedesk_async._secret import ApiKey
from fusedesk_async.errors import ConfigurationError

LONGEST_LABEL = 63
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def base_url_of_app(app: str) -> str:
    """The address of an app, given by its name or by any address pasted from the browser.

    Everything up to `//` and everything from `.fusedesk` or `.infusionsoft` on is dropped, as in FuseDesk's own
    plugin. What is left must be a single DNS label: with anything else the key would go to another host.

    Raises:
        ConfigurationError: It is not.
    """
    label = re.split(r"\.(?:fusedesk|infusionsoft)\b", app.strip().lower().rpartition("//")[2])[0]
    if len(label) > LONGEST_LABEL or not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", label, re.ASCII):
        message = f"app {app!r} is not the name of a FuseDesk app, such as 'acme' in https://acme.fusedesk.com"
        raise ConfigurationError(message)
    return f"https://{label}.fusedesk.com"


def checked_base_url(url: str) -> str:
    """A base address for tests and sandboxes, without a slash at its end.

    Raises:
        ConfigurationError: It is no plain http address, carries a user, a query or a fragment, or would send the
            key unencrypted to another machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        message = "base_url must look like https://host or http://127.0.0.1:8080, without user, query or fragment"
        raise ConfigurationError(message)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        message = f"base_url {parts.scheme}://{parts.netloc} would send the API key unencrypted; use https"
        raise ConfigurationError(message)
    return url.rstrip("/")


def positive(value: float, name: str) -> float:
    """A number above zero.

    Raises:
        ConfigurationError: It is something else.
    """
    if not (isinstance(value, int | float) and value > 0):
        message = f"{name} is a number above 0, not {value!r}"
        raise ConfigurationError(message)
    return value


@attrs.frozen
class Environment:
    """What the environment says about the app and the key."""

    app: str
    api_key: ApiKey
    base_url: str | None


def read_environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read `FUSEDESK_APP`, `FUSEDESK_API_KEY` and `FUSEDESK_BASE_URL`.

    Raises:
        ConfigurationError: The key is missing, or both the app and the base address are.
    """
    base_url = variables.get("FUSEDESK_BASE_URL") or None
    app = variables.get("FUSEDESK_APP") or ("sandbox" if base_url else "")
    if not app:
        message = "set FUSEDESK_APP to the name of your app, such as acme (or FUSEDESK_BASE_URL to an address)"
        raise ConfigurationError(message)
    return Environment(app, ApiKey(variables.get("FUSEDESK_API_KEY", "")), base_url)
