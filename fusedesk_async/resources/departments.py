"""Departments."""

from collections.abc import Sequence

from fusedesk_async._wire.call import delete, get, number, post
from fusedesk_async._wire.field_names import request_names
from fusedesk_async._wire.readers import acknowledgement, every, one
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models.created import Created
from fusedesk_async.models.department import Department
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.resources._created import created_number
from fusedesk_async.resources._resource import Resource, filled, switch

_PATH = "v2/departments"


class Departments(Resource):
    """Departments: who answers what. `Department.id` is what every `department_id` wants."""

    async def active(self) -> list[Department]:
        """The departments in use (`GET v2/departments`, plugin)."""
        return await self._send(get(_PATH, every(Department)))

    async def all(self) -> list[Department]:
        """The departments in use and the archived ones (`GET v2/departments/all`, third-party source)."""
        return await self._send(get(f"{_PATH}/all", every(Department)))

    async def archived(self) -> list[Department]:
        """The archived departments (`GET v2/departments/archived`, third-party source)."""
        return await self._send(get(f"{_PATH}/archived", every(Department)))

    async def get(self, department_id: int) -> Department:
        """One department (`GET v2/departments/{id}`, third-party source).

        Raises:
            NotFoundError: There is no such department.
        """
        return await self._send(get(_path(department_id), one(Department)))

    async def create(self, name: str) -> Created[int]:
        """Make a department (`POST v2/departments`, third-party source). Sent once.

        Args:
            name: What people see. All else is set by `update`.

        Returns:
            What the server said; that it tells the new id is assumed.

        Raises:
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been made.
        """
        return await self._send(post(_PATH, created_number, {"name": filled(name, "name")}))

    async def update(
        self,
        department_id: int,
        *,
        all_reps: bool | None = None,
        rep_user_ids: Sequence[int] | None = None,
        reply_template_id: int | None = None,
        template_category: str | None = None,
        stale: int | None = None,
        stale_warning: int | None = None,
        feedback_template_id: int | None = None,
        feedback_delay: int | None = None,
        feedback_frequency: int | None = None,
        feedback_sample: int | None = None,
    ) -> Acknowledgement:
        """Change a department (`POST v2/departments/{id}`, third-party source). Sent once; the answer is assumed.

        Args:
            department_id: The department.
            all_reps: Whether all reps work there (`allReps`). False is sent as 0, which PHP reads as false (assumed).
            rep_user_ids: The reps who do, each by `Rep.user_id` (`repUserIds[]`). An empty list cannot be sent.
            reply_template_id: The template of replies (`replyTemplateId`).
            template_category: The templates that are offered there (`templateCategory`).
            stale: When a case counts as stale. The unit is disputed: hours by FuseDesk's old page, minutes by another.
                Look at what `get` says of a department whose setting you know before you change this.
            stale_warning: When a case is marked as about to be stale (`staleWarning`); the unit is disputed likewise.
            feedback_template_id: The template that asks for feedback (`feedbackTemplateId`).
            feedback_delay: How long after closing it is sent (`feedbackDelay`); the unit is not public.
            feedback_frequency: How often one customer is asked at most (`feedbackFrequency`); the unit is not public.
            feedback_sample: How many of the customers are asked (`feedbackSample`), in percent.

        Raises:
            ConfigurationError: There is nothing to change, or no rep is left.
            OutcomeUnknownError: It may have been changed.
        """
        fields = {
            "all_reps": switch(all_reps),
            "rep_user_ids": _user_ids(rep_user_ids),
            "reply_template_id": reply_template_id,
            "template_category": template_category,
            "stale": stale,
            "stale_warning": stale_warning,
            "feedback_template_id": feedback_template_id,
            "feedback_delay": feedback_delay,
            "feedback_frequency": feedback_frequency,
            "feedback_sample": feedback_sample,
        }
        form = request_names(fields, "Department", at_least_one=True)
        return await self._send(post(_path(department_id), acknowledgement, form))

    async def archive(self, department_id: int) -> Acknowledgement:
        """Take a department out of use (`DELETE v2/departments/{id}`, third-party source). `restore` undoes it.

        Its cases stay; that it takes no new ones then, and the answer, is assumed.
        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(delete(_path(department_id), acknowledgement))

    async def restore(self, department_id: int) -> Acknowledgement:
        """Bring an archived department back into use (`POST v2/departments/{id}/restore`, third-party source).

        The answer is assumed.
        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(post(_path(department_id, "restore"), acknowledgement, repeatable=True))


def _path(department_id: int, *rest: str) -> str:
    return "/".join((_PATH, number(department_id, "a department id"), *rest))


def _user_ids(reps: Sequence[int] | None) -> list[int] | None:
    if reps is None:
        return None
    if not reps:
        message = "rep_user_ids is empty, and a form cannot say so; archive the department, or name who stays"
        raise ConfigurationError(message)
    return [int(number(rep, "a rep's user id")) for rep in reps]
