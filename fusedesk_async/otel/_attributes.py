"""What calls are told apart by. Nothing here has many different values, is personal, or holds the key."""

from typing import TypeAlias
from urllib.parse import urlsplit

from fusedesk_async._routes import route_of
from fusedesk_async.errors import FuseDeskError, Request

Attributes: TypeAlias = dict[str, str | int | float | bool]

NAME = "fusedesk_async"
SCHEMA = "https://opentelemetry.io/schemas/1.30.0"

ERROR_TYPE = "error.type"
STATUS = "http.response.status_code"
BAD_REQUEST, TOO_MANY_REQUESTS = 400, 429

_PORTS = {"http": 80, "https": 443}


def server_attributes(base_url: str) -> Attributes:
    """Where calls go."""
    address = urlsplit(base_url)
    return {"server.address": address.hostname or "", "server.port": address.port or _PORTS[address.scheme]}


def request_attributes(request: Request) -> Attributes:
    """What is called."""
    return {"http.request.method": request.method, "url.template": f"/api/{route_of(request.path)}"}


def status_attributes(status: int) -> Attributes:
    """What was answered."""
    attributes: Attributes = {STATUS: status}
    if status >= BAD_REQUEST:
        attributes[ERROR_TYPE] = str(status)
    return attributes


def error_attributes(error: FuseDeskError) -> Attributes:
    """How it failed."""
    return {ERROR_TYPE: type(error).__name__}
