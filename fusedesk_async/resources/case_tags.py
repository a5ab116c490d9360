"""Case tags."""

from fusedesk_async._wire.call import delete, get, number, post
from fusedesk_async._wire.readers import acknowledgement, every
from fusedesk_async.models.case_tag import CaseTag
from fusedesk_async.models.created import Created
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.resources._created import created_number
from fusedesk_async.resources._resource import Resource, filled

_PATH = "v1/casetags"


class CaseTags(Resource):
    """The tags that cases can carry. `CaseTag.id` is what every `tag_id` wants; `cases.tag` puts one on a case."""

    async def all(self) -> list[CaseTag]:
        """All tags that are not deleted, hidden ones too (`GET casetags`, plugin)."""
        return await self._send(get(_PATH, every(CaseTag)))

    async def create(self, name: str) -> Created[int]:
        """Make a tag (`POST casetags`, third-party source). Sent once.

        Args:
            name: What people see (`tagname`).

        Returns:
            What the server said; that it tells the new id is assumed.

        Raises:
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been made.
        """
        return await self._send(post(_PATH, created_number, {"tagname": filled(name, "name")}))

    async def delete(self, tag_id: int) -> Acknowledgement:
        """Delete a tag, which archives it (`DELETE casetags/{id}`, third-party source). The answer is assumed.

        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(delete(f"{_PATH}/{number(tag_id, 'a tag id')}", acknowledgement))
