"""The store of a shared quota by its address."""

from urllib.parse import unquote

from fusedesk_async import fleet
from fusedesk_async._ratelimit.quota_store import QuotaStore
from fusedesk_async.errors import ConfigurationError

SQLITE = "sqlite:///"


def shared_quota(url: str) -> QuotaStore:
    """The store of a shared quota by its address, as in `FUSEDESK_SHARED_QUOTA`.

    Args:
        url: `sqlite:///file` (relative to the working folder) or `sqlite:////folder/file`, `postgresql://…` as
            `PostgresQuota` takes it, or `redis://…`, `rediss://…` or `unix://…` as `RedisQuota` does.

    Raises:
        ConfigurationError: It is none of these, or what it needs is not installed.
    """
    scheme = url.partition("://")[0] if isinstance(url, str) else ""
    if scheme == "sqlite" and url.startswith(SQLITE):
        return fleet.SQLiteQuota(unquote(url.removeprefix(SQLITE)))
    try:
        if scheme in {"postgresql", "postgres"}:
            return fleet.PostgresQuota(url)
        if scheme in {"redis", "rediss", "unix"}:
            return fleet.RedisQuota(url)
    except ImportError as missing:
        raise ConfigurationError(str(missing)) from None
    message = "a shared quota has an address such as sqlite:////folder/file, postgresql://host/name or redis://host"
    raise ConfigurationError(message)
