"""What a key may do, and what a write was answered."""

from typing import Any

import attrs

from fusedesk_async._exports import public


@public
@attrs.frozen(kw_only=True)
class Acknowledgement:
    """The server's answer to a write that has no certain shape.

    Attributes:
        raw: The answer as parsed JSON, as text if it was no JSON, None if it was empty.
    """

    raw: Any = None


@public
@attrs.frozen(kw_only=True)
class Access:
    """That app and key are good, and what the key may do.

    Attributes:
        base_url: The address that answered.
        scopes: The key's permissions, such as `cases` and `cases_update`. An open set: not all names are public.
    """

    base_url: str
    scopes: frozenset[str]
