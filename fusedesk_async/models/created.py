"""What a write that makes something new was answered."""

from typing import Generic, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models.session import Acknowledgement

K = TypeVar("K", int, str)


@public
@attrs.frozen(kw_only=True)
class Created(Acknowledgement, Generic[K]):
    """The server's answer to the making of something, whose shape no public source shows.

    Attributes:
        id: The id of what was made, if the answer is an object that tells it (assumed); None otherwise.
        raw: The answer as parsed JSON, as text if it was no JSON, None if it was empty.
    """

    id: K | None = None
