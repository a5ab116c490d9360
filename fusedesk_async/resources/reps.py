"""Reps: those who answer."""

from fusedesk_async._wire.call import get, number
from fusedesk_async._wire.readers import every, one
from fusedesk_async.models.rep import Rep
from fusedesk_async.resources._resource import Resource


class Reps(Resource):
    """Reps. `Rep.user_id` is what every `rep_id` wants; `Rep.rep_record_id` is another number that nothing takes."""

    async def all(self) -> list[Rep]:
        """All reps, disabled ones too (`GET v2/reps`, plugin)."""
        return await self._send(get("v2/reps", every(Rep)))

    async def get(self, user_id: int) -> Rep:
        """One rep by `Rep.user_id` (`GET v2/reps/{userId}`, third-party source).

        Raises:
            NotFoundError: There is no such rep.
        """
        return await self._send(get(f"v2/reps/{number(user_id, 'a user id')}", one(Rep)))
