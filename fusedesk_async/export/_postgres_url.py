"""The address of an export in Postgres: `postgresql://user@host/database?schema=fusedesk`, shown without a password."""

import os
import re
from typing import Any, NoReturn
from urllib.parse import SplitResult, quote, unquote, urlsplit

from fusedesk_async.errors import ConfigurationError

SCHEMES = ("postgresql://", "postgres://")
DEFAULT_SCHEMA = "fusedesk"
PART = "_part"
"""The end of the name that a schema has until it is complete."""
LONGEST_NAME = 63 - len(PART)
"""Bytes of a schema's name: Postgres cuts off what is longer than 63."""

_ADDRESS = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]+://|postgres(?:ql)?(?:\+[a-z0-9_]*)?:)", re.IGNORECASE)
_HOSTS = re.compile(r"(?:(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:,]*)(?::[0-9]*)?(?:,|\Z))*")
_WRONG = re.compile(r"#|%(?![0-9A-Fa-f]{2})|%00|\s|[^\x20-\U0010ffff]|[\ud800-\udfff]")
_MASK = "***"


def is_address(to: object) -> bool:
    """Whether an output is given by an address, also one that is refused: it may have a password, as no path has."""
    return isinstance(to, str) and _ADDRESS.match(to) is not None


class PostgresUrl:
    """Where an export in Postgres is. The password shows in no repr, log, traceback or pickle.

    One that cannot be right is refused by `check`, and not when it is made: then a traceback would show the text.

    Args:
        text: The address as libpq takes it, and `schema`, the name of the schema that holds the export.
    """

    __slots__ = ("_conninfo", "_problem", "_secrets", "schema", "shown")

    def __init__(self, text: str) -> None:
        self._conninfo, self._secrets = "", frozenset[str]()
        self.schema: str = DEFAULT_SCHEMA
        self.shown: str = SCHEMES[0]
        if not text.lower().startswith(SCHEMES):
            self.shown, self._problem = _ANOTHER, _UNKNOWN
            return
        parts = _parts(text)
        self._problem = _UNREADABLE if parts is None else ""
        if parts:
            ours, others = _split_query(parts.query)
            self.schema = unquote(ours, errors="replace")
            self._problem = _problem_of(self.schema)
            self._secrets = _secrets(parts, others)
            self._conninfo = f"postgresql://{parts.netloc}{parts.path}?{'&'.join(others)}"
            self.shown = _shown(parts, others, self.schema)

    def check(self) -> None:
        """Check that it can be right.

        Raises:
            ConfigurationError: It cannot. The address is not repeated in the message.
        """
        if self._problem:
            raise ConfigurationError(self._problem)

    def reveal(self) -> str:
        """The address itself, for the one place that connects."""
        return self._conninfo

    def redact(self, text: str) -> str:
        """`text` without the password."""
        for secret in {*self._secrets, os.environ.get("PGPASSWORD", "")} - {""}:
            text = text.replace(secret, _MASK)
        return text

    @property
    def part(self) -> str:
        """The name of the schema until it is complete."""
        return f"{self.schema}{PART}"

    def __repr__(self) -> str:
        return f"PostgresUrl({self.shown!r})"

    def __str__(self) -> str:
        return self.shown

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = "an address with a password is not pickled or copied"
        raise TypeError(message)


_ANOTHER = "another address"
_UNKNOWN = (
    "the address of the output begins with postgresql:// or postgres://, as no other database or store is written to"
)
_UNREADABLE = (
    "the address of the database cannot be read; in a password each of @ : / ? # [ ] % is written as its percent code,"
    " or set PGPASSWORD"
)


def _parts(text: str) -> SplitResult | None:
    """The parts of an address; None if what is not escaped in a password would pass for a host or a path."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    hosts = parts.netloc.rpartition("@")[2]
    is_escaped = parts.netloc.count("@") <= 1 and not _WRONG.search(text)
    return parts if is_escaped and "@" not in f"{parts.path}{parts.query}" and _HOSTS.fullmatch(hosts) else None


def _split_query(query: str) -> tuple[str, list[str]]:
    """The schema, and all other parameters."""
    given = [part for part in query.split("&") if part]
    schemas = [part.partition("=")[2] for part in given if part.partition("=")[0] == "schema"]
    return (schemas or [DEFAULT_SCHEMA])[-1], [part for part in given if part.partition("=")[0] != "schema"]


def _problem_of(schema: str) -> str:
    """What is wrong with the name of a schema; empty if nothing is."""
    is_long = len(schema.encode(errors="replace")) > LONGEST_NAME
    if schema and not (is_long or schema.startswith("pg_") or schema.endswith(PART)):
        return ""
    return (
        f"schema is a name of up to {LONGEST_NAME} bytes that neither begins with pg_ nor ends in {PART},"
        f" not {schema!r}"
    )


def _secrets(parts: SplitResult, parameters: list[str]) -> frozenset[str]:
    """The password as it is written and as it is meant."""
    raw = [parts.netloc.rpartition("@")[0].partition(":")[2]]
    raw += [part.partition("=")[2] for part in parameters if "password" in part.partition("=")[0]]
    return frozenset({*raw, *map(unquote, raw)})


def _shown(parts: SplitResult, parameters: list[str], schema: str) -> str:
    """The address with what says where it is: user, host, database and schema."""
    user, _, hosts = parts.netloc.rpartition("@")
    user = user.partition(":")[0]
    where = [part for part in parameters if part.partition("=")[0] in {"host", "port", "dbname", "user", "service"}]
    query = "&".join([*where, f"schema={quote(schema)}"])
    return f"postgresql://{f'{user}@' if user else ''}{hosts}{parts.path}?{query}"
