"""What customers say of cases, and whether they are asked."""

from fusedesk_async._wire.call import get, post
from fusedesk_async._wire.readers import acknowledgement, one_or_nothing
from fusedesk_async.models.feedback import CaseFeedback
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.resources._resource import Resource, case_path


class Feedback(Resource):
    """What the customer says of a case, and whether he or she is asked. Got from a client: `desk.cases.feedback`."""

    async def get(self, case_id: int) -> CaseFeedback:
        """What the customer said (`GET cases/{id}/feedback`, third-party source; its shape is assumed).

        If the server says nothing at all, so do the fields of the result.
        """
        return await self._send(get(case_path(case_id, "feedback"), one_or_nothing(CaseFeedback)))

    async def turn_on(self, case_id: int) -> Acknowledgement:
        """Let the customer be asked (`POST cases/{id}/feedback/doask`, third-party source). The answer is assumed.

        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(post(case_path(case_id, "feedback", "doask"), acknowledgement, repeatable=True))

    async def turn_off(self, case_id: int) -> Acknowledgement:
        """Never ask the customer (`POST cases/{id}/feedback/dontask`, third-party source). The answer is assumed.

        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(post(case_path(case_id, "feedback", "dontask"), acknowledgement, repeatable=True))

    async def request(self, case_id: int) -> Acknowledgement:
        """Ask the customer now, by email (`POST cases/{id}/feedback/request`, third-party source).

        Sent once; the answer is assumed.

        Raises:
            OutcomeUnknownError: The customer may have been asked.
        """
        return await self._send(post(case_path(case_id, "feedback", "request"), acknowledgement))
