"""Answering a case, putting it off, and treating many at once."""

from collections.abc import Sequence

from fusedesk_async._call import post
from fusedesk_async._commas import chunks, comma_list, in_one
from fusedesk_async._named import by_name
from fusedesk_async._names import request_names
from fusedesk_async._readers import acknowledgement
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.filters import Day, encode_day
from fusedesk_async.models import Acknowledgement
from fusedesk_async.resources._case_reads import case_path
from fusedesk_async.resources._fields import filled
from fusedesk_async.resources._resource import Resource

_MANY = "v1/cases/update"


class CaseAttention(Resource):
    """Answering cases, putting them off, treating many at once."""

    async def reply(
        self,
        case_id: int,
        body: str,
        *,
        html: str | None = None,
        to: str | None = None,
        sender: str | None = None,
        cc: str | Sequence[str] | None = None,
        bcc: str | Sequence[str] | None = None,
        template_id: int | None = None,
    ) -> Acknowledgement:
        """Answer a case by email: it goes to the customer (`POST cases/{id}/reply`, third-party source).

        Sent once; the answer is assumed.

        Args:
            case_id: The case.
            body: Plain text.
            html: The same as HTML.
            to: The receiver; presumably the customer if None.
            sender: Who writes it (`from`); presumably the department if None.
            cc: Further receivers, one or several; they travel as one list with commas.
            bcc: Hidden receivers, likewise.
            template_id: A template to use (`templateid`).

        Raises:
            ConfigurationError: There is no text, or an address with a comma among several.
            OutcomeUnknownError: It may have been sent to the customer.
        """
        fields = {"html": html, "to": to, "sender": sender, "template_id": template_id}
        lists = {"cc": comma_list(cc, "cc"), "bcc": comma_list(bcc, "bcc")}
        form = {"body": filled(body, "body")} | request_names(fields | lists)
        return await self._send(post(case_path(case_id, "reply"), acknowledgement, form))

    async def snooze(self, case_id: int, until: Day) -> Acknowledgement:
        """Put a case off until later (`POST cases/{id}/snooze`, third-party source). Sent once; the answer is assumed.

        Args:
            case_id: The case.
            until: A datetime with a time zone, a date, or text that the server understands.

        Raises:
            ConfigurationError: It is a datetime without time zone, or empty.
            OutcomeUnknownError: It may have been put off.
        """
        return await self._send(post(case_path(case_id, "snooze"), acknowledgement, {"until": encode_day(until)}))

    async def update_many(
        self,
        case_ids: Sequence[int],
        *,
        rep_id: int | None = None,
        department_id: int | None = None,
        status: str | None = None,
        tag_id: int | None = None,
        snooze_until: Day | None = None,
        crm_tag_id: int | None = None,
        crm_automation_id: int | None = None,
        rep: str | None = None,
        department: str | None = None,
        tag: str | None = None,
    ) -> list[Acknowledgement]:
        """Change many cases alike (`POST cases/update`, third-party sources). The answers are assumed.

        The ids travel in the address, so many go in several requests, each sent once. If one of them fails,
        `completed` of the error says how many cases are through; go on with `case_ids[error.completed:]` once you
        know about the failed ones. Whether the server changes some cases of a request it refuses is not public.

        Args:
            case_ids: The cases.
            rep_id: The user id of the rep they go to (`repid`).
            department_id: The department they go to (`depid`).
            status: `new`, `open` or `closed`.
            tag_id: A tag that is put on them (`tagid`).
            snooze_until: Until when they are put off (`snooze`).
            crm_tag_id: A tag of the CRM that their contacts get (`crmTagId`).
            crm_automation_id: An automation of the CRM that their contacts enter (`crmAutomationId`).
            rep: The rep's name or address in place of the id; looked up first (see `FuseDesk.directory`).
            department: The department's name in place of the id, likewise.
            tag: The tag's name in place of the id, likewise.

        Returns:
            The server's answer to each request.

        Raises:
            NameLookupError: Nothing has such a name, or several have it. Nothing was sent then.
            ConfigurationError: There is no case, nothing to change, or an id that is none. Nothing was sent then.
            OutcomeUnknownError: The answer to one request was lost: its cases may have been changed.
        """
        fields = {
            "rep_id": rep_id,
            "department_id": department_id,
            "status": status,
            "tag_id": tag_id,
            "snooze_until": snooze_until,
            "crm_tag_id": crm_tag_id,
            "crm_automation_id": crm_automation_id,
        } | {"rep": rep, "department": department, "tag": tag}
        changes = request_names(by_name(fields), "many cases", at_least_one=True)
        answers, completed = list[Acknowledgement](), 0
        for ids, cases in chunks(case_ids):
            try:
                answers.append(await self._send(post(_MANY, acknowledgement, query={"caseids": ids} | changes)))
            except FuseDeskError as error:
                error.completed = completed
                raise
            completed += cases
        return answers

    async def merge_irreversibly(self, case_ids: Sequence[int]) -> Acknowledgement:
        """Make one case of several, for good (`POST cases/update`, third-party sources).

        It cannot be undone, and which of the cases remains is not public. Sent once; the answer is assumed.

        Args:
            case_ids: At least two cases.

        Raises:
            ConfigurationError: There are fewer, one comes twice, or there are too many for one request.
            OutcomeUnknownError: They may have been merged.
        """
        query = {"caseids": in_one(case_ids), "merge": True}
        return await self._send(post(_MANY, acknowledgement, query=query))
