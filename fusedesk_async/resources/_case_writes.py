"""Changing one case."""

from collections.abc import Sequence
from uuid import UUID

import attrs

from fusedesk_async._call import BeforeSending, Call, post
from fusedesk_async._convert import case_form, unstructure
from fusedesk_async._history import DEFAULT_FORM_SIZE, forms
from fusedesk_async._named import by_name, ending_in
from fusedesk_async._names import request_names
from fusedesk_async._readers import acknowledgement, one
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.models import Acknowledgement, CreatedCase, NewCase, NewHistoryItem, NewNote
from fusedesk_async.resources._case_reads import case_path
from fusedesk_async.resources._resource import Resource


class CaseWrites(Resource):
    """Opening cases and changing one."""

    async def create(self, case: NewCase, *, before_sending: BeforeSending | None = None) -> CreatedCase:
        """Open a case (`POST cases`, seed page; that the answer has `casenum` is known from the plugin).

        Sent once: if the answer is lost, `OutcomeUnknownError` tells so, and no second case is ever opened silently.
        `find_created` looks whether it was opened all the same.

        Args:
            case: What to open.
            before_sending: Awaited right before the request leaves, after all waits for quota; again, should it be
                refused with 429 and sent once more. For a journal of your own. If it raises, nothing is sent.

        Raises:
            NameLookupError: Nothing is called as its `department` or `rep`, or several are. Nothing was opened.
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been opened.
        """
        call = post("v1/cases", one(CreatedCase), case_form(case))
        return await self._send(attrs.evolve(call, before_sending=before_sending))

    async def add_note(
        self,
        case_id: int,
        note: NewNote,
        *,
        rep_id: int | None = None,
        status: str | None = None,
        template_id: int | None = None,
    ) -> Acknowledgement:
        """Add a note or a call to a case (`POST cases/{id}/addnote`, seed page).

        Args:
            case_id: The case.
            note: What to add.
            rep_id: The user id of the rep who wrote it (`repid`; third-party sources only).
            status: A new status for the case (third-party sources only).
            template_id: A template to use (`templateid`; third-party sources only).
        """
        extra = request_names({"rep_id": rep_id, "status": status, "template_id": template_id})
        return await self._send(post(case_path(case_id, "addnote"), acknowledgement, unstructure(note) | extra))

    async def tag(self, case_id: int, tag_id: int | None = None, *, tag: str | None = None) -> Acknowledgement:
        """Put a tag on a case (`POST cases/{id}/tag/{tag}`, seed page). Doing it twice changes nothing.

        Args:
            case_id: The case.
            tag_id: The tag.
            tag: The tag's name in place of the id; looked up first (see `FuseDesk.directory`).

        Raises:
            NameLookupError: Nothing has such a name, or several have it. Nothing was changed.
        """
        return await self._send(_tagging(case_id, "tag", tag_id, tag))

    async def untag(self, case_id: int, tag_id: int | None = None, *, tag: str | None = None) -> Acknowledgement:
        """Take a tag off a case (`POST cases/{id}/untag/{tag}`, seed page). Doing it twice changes nothing.

        Args:
            case_id: The case.
            tag_id: The tag.
            tag: The tag's name in place of the id; looked up first (see `FuseDesk.directory`).

        Raises:
            NameLookupError: Nothing has such a name, or several have it. Nothing was changed.
        """
        return await self._send(_tagging(case_id, "untag", tag_id, tag))

    async def transfer(
        self,
        case_id: int,
        *,
        rep_id: int | None = None,
        department_id: int | None = None,
        rep: str | None = None,
        department: str | None = None,
    ) -> Acknowledgement:
        """Give a case to another rep, another department, or both (`POST cases/{id}`, seed page).

        Args:
            case_id: The case.
            rep_id: The user id of the rep (`repid`); stays as it is if None.
            department_id: The department (`depid`); stays as it is if None.
            rep: The rep's name or address in place of the id; looked up first (see `FuseDesk.directory`).
            department: The department's name in place of the id, likewise.

        Raises:
            NameLookupError: Nothing has such a name, or several have it. Nothing was changed.
        """
        fields = {"rep_id": rep_id, "department_id": department_id, "rep": rep, "department": department}
        return await self._send(_update(case_id, **by_name(fields)))

    async def link_contact(
        self, case_id: int, *, contact_id: int | None = None, contact_uuid: UUID | str | None = None
    ) -> Acknowledgement:
        """Link a case to a contact (`POST cases/{id}`, seed page).

        Args:
            case_id: The case.
            contact_id: The contact's id in the CRM (`contactid`).
            contact_uuid: The contact's id in FuseDesk (`contactUuid`).
        """
        return await self._send(_update(case_id, contact_id=contact_id, contact_uuid=contact_uuid))

    async def update(
        self,
        case_id: int,
        *,
        summary: str | None = None,
        details: str | None = None,
        status: str | None = None,
        company_id: int | None = None,
    ) -> Acknowledgement:
        """Change other fields of a case (`POST cases/{id}`; these fields are named by third-party sources only).

        Args:
            case_id: The case.
            summary: The title.
            details: The text.
            status: `new`, `open` or `closed`.
            company_id: The company's id in the CRM (`companyid`).
        """
        return await self._send(
            _update(case_id, summary=summary, details=details, status=status, company_id=company_id)
        )

    async def close(self, case_id: int) -> Acknowledgement:
        """Set a case's status to `closed` (`POST cases/{id}`, third-party sources only)."""
        return await self.update(case_id, status="closed")

    async def reopen(self, case_id: int, *, status: str = "new") -> Acknowledgement:
        """Set a case's status back (`POST cases/{id}`, third-party sources only).

        Args:
            case_id: The case.
            status: `new`, so that it waits for the team, or `open`, so that it waits for the customer.
        """
        return await self.update(case_id, status=status)

    async def import_history(
        self,
        case_id: int,
        history: Sequence[NewHistoryItem],
        *,
        skip_infusionsoft: bool = False,
        form_size: int = DEFAULT_FORM_SIZE,
        before_sending: BeforeSending | None = None,
    ) -> list[Acknowledgement]:
        """Add notes, calls and emails of the past to a case (`POST cases/{id}/history`, seed page).

        A long history goes in several requests. If one of them fails, `completed` of the error says how many
        elements are in already; go on with `history[error.completed:]` once you know about the failed ones.

        Args:
            case_id: The case.
            history: What to add, in this order.
            skip_infusionsoft: Keep it out of the CRM (`skipinfusionsoft`).
            form_size: Bytes. No request's form gets larger than this. What the server takes is not public.
            before_sending: Awaited right before each request leaves, as for `create`.

        Returns:
            The server's answer to each request.

        Raises:
            ConfigurationError: There is nothing to add, or one element alone is larger than `form_size`. Nothing
                was sent then.
            OutcomeUnknownError: The answer to one request was lost: its elements may be in.
        """
        path, answers, completed = case_path(case_id, "history"), list[Acknowledgement](), 0
        for form, elements in forms(history, skip_infusionsoft=skip_infusionsoft, size=form_size):
            try:
                call = attrs.evolve(post(path, acknowledgement, form), before_sending=before_sending)
                answers.append(await self._send(call))
            except FuseDeskError as error:
                error.completed = completed
                raise
            completed += elements
        return answers


def _tagging(case_id: int, what: str, tag_id: int | None, tag: str | None) -> Call[Acknowledgement]:
    return ending_in(post(case_path(case_id, what), acknowledgement, repeatable=True), "tag", tag_id, tag)


def _update(case_id: int, **fields: object) -> Call[Acknowledgement]:
    """A change of some fields of a case; a change of none is refused, since it would cost a call for nothing."""
    return post(case_path(case_id), acknowledgement, request_names(fields, at_least_one=True))
