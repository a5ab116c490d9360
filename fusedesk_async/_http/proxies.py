"""Which proxy leads to a server: the one that was given, or the one that the environment names."""

import os
from urllib.parse import urlsplit

import attrs

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@attrs.frozen(repr=False)
class Route:
    """How a server is reached.

    Attributes:
        proxy: The address of the proxy, which may hold a password; None if there is none.
        note: What somebody should know to whom no connection came about; never an address.
    """

    proxy: str | None = None
    note: str = ""


def route_to(base_url: str, proxy: str | None, *, trust_env: bool) -> Route:
    """The way to a server.

    Servers on this machine are never reached by a proxy of the environment.

    Args:
        base_url: The address of the server.
        proxy: The address of a proxy that was given.
        trust_env: Whether a proxy of the environment is used, in the variables that curl and httpx read: HTTPS_PROXY,
            HTTP_PROXY, ALL_PROXY, but for the hosts of NO_PROXY.
    """
    if proxy is not None:
        return Route(proxy)
    variable = _variable_for(base_url)
    if not variable:
        return Route()
    if trust_env:
        return Route(os.environ[variable], f"; the proxy of {variable} was asked")
    return Route(None, f"; {variable} is set but not used, as trust_env is off")


def _variable_for(base_url: str) -> str:
    """The variable that names a proxy for this server; empty if there is none, or NO_PROXY excepts the server."""
    url = urlsplit(base_url)
    names = [name for prefix in (url.scheme, "all") for name in (f"{prefix}_proxy", f"{prefix}_proxy".upper())]
    variable = next((name for name in names if os.environ.get(name)), "")
    if not variable or url.hostname in LOOPBACK:
        return ""
    from urllib.request import proxy_bypass  # noqa: PLC0415 - loads much, which few need

    return "" if proxy_bypass(url.netloc) else variable
