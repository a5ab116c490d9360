"""Cases: search, read, open, and everything one can do with one."""

from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Unpack
from uuid import UUID

from fusedesk_async._bookmark import Bookmark
from fusedesk_async._call import Call, get, number, post
from fusedesk_async._convert import case_form, unstructure
from fusedesk_async._history import DEFAULT_FORM_SIZE, forms
from fusedesk_async._lookup import Lookup
from fusedesk_async._named import by_name, ending_in
from fusedesk_async._names import request_names
from fusedesk_async._pagination import LARGEST_PAGE, Pages
from fusedesk_async._readers import acknowledgement, many, one
from fusedesk_async._search import search_query
from fusedesk_async._walk import OnUnordered, Walk
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.filters import CaseFilters, OrderBy
from fusedesk_async.models import Acknowledgement, Case, CaseDetail, CreatedCase, NewCase, NewHistoryItem, NewNote
from fusedesk_async.resources._resource import Resource


class Cases(Resource):
    """Everything one can do with cases. An id is always `Case.id`, the record id, not the number people see."""

    def search(
        self, *, order_by: OrderBy | None = None, page_size: int = LARGEST_PAGE, **filters: Unpack[CaseFilters]
    ) -> Pages[Case]:
        """Cases that match all filters, fetched page by page while you iterate (`GET cases`, seed page).

        Without `order_by` the cases come in the order of their ids, each once, and none that matched throughout is
        missed, however many cases are opened, closed, deleted or retagged meanwhile: pages count only where they
        join up, and rows that have moved are asked for again.

        With `order_by` it is plain paging: a case that changes its place while you iterate can be missed; one that
        comes twice is dropped. By `date_updated`, the server's own default, this happens whenever anyone works.

        Args:
            order_by: `asc("date_opened")`, several of these, or the API's text such as `"date_lastresponse desc"`.
            page_size: Rows fetched at once, 2 to 500 (1 to 500 with `order_by`). Each page is one call of the hourly
                quota.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter, the order or the page size cannot be right.
            PaginationError: While iterating: the server ignores the offset, or does not keep the order by id.
        """
        call = get("v1/cases", many(Case), search_query(order_by, **filters))
        return Pages(self._send, call, page_size=page_size, identity=_id, ascending=order_by is None)

    def walk(
        self,
        *,
        concurrency: int = 4,
        page_size: int = LARGEST_PAGE,
        after: Bookmark | None = None,
        on_unordered: OnUnordered = "raise",
        **filters: Unpack[CaseFilters],
    ) -> Walk[Case]:
        """All cases that match all filters, in the order of their ids, for large jobs (`GET cases`, seed page).

        Like a `search` it loses none that matched throughout and gives none twice. Beyond that it fetches pages ahead,
        counts what it does (`walk.report`), and can be gone on with after a crash (`walk.bookmark`). Its calls are bulk
        work: they let interactive calls go first, unless `with_options(priority="interactive")` says otherwise.

            async with desk.cases.walk(status="all") as walk:
                async for case in walk:
                    ...

        An error ends the walk, after the cases that were fetched before it; `walk.bookmark` is good then, too.

        Args:
            concurrency: How many pages may be on their way at once; as many again wait for you. It costs up to so many
                calls that bring nothing at the end. The client's own `concurrency` bounds them all.
            page_size: Rows fetched at once, 2 to 500. Each page is one call of the hourly quota.
            after: The bookmark of another walk with the same filters, to go on where that one stopped. Cases
                that came to match meanwhile but have smaller ids are not gone back for.
            on_unordered: What to do if the first page shows that the server does not keep the order by id: `raise`
                a `PaginationError`, or `report` it (`walk.report.unordered`, and a warning) and go on by plain paging,
                which drops what comes twice but misses what moves. There is no bookmark then.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter or another argument cannot be right, or the bookmark is of other filters.
            PaginationError: While iterating: the server ignores the offset, or does not keep the order by id.
            RateLimitError: While iterating, with `on_rate_limit="raise"`.
        """
        call = get("v1/cases", many(Case), search_query(None, **filters))
        return Walk(
            self._send,
            call,
            _id,
            page_size=page_size,
            concurrency=concurrency,
            after=after,
            on_unordered=on_unordered,
        )

    def get_many(
        self, ids: Iterable[int | Case] | AsyncIterable[int | Case], *, concurrency: int = 4
    ) -> Lookup[CaseDetail]:
        """Many cases with their histories, in the order asked for (`GET cases/{id}` for each, seed page).

            async with desk.cases.get_many(ids) as lookup:
                async for case_id, result in lookup:
                    if isinstance(result, FuseDeskError):
                        ...

        What goes wrong with one case is given in its place: `NotFoundError`, `PermissionDeniedError`,
        `RequestRejectedError`, a `ServerError` or a lost answer after all retries, an answer that cannot be read, or
        `ConfigurationError` for what is no id (nothing is sent then). Its calls are bulk work, as those of `walk`.

        Args:
            ids: Ids, or cases of a search. They are read as they are needed, so there may be any number, and an
                open walk will do. An id that comes twice is fetched twice.
            concurrency: How many cases may be on their way at once; as many again wait for you.

        Raises:
            ConfigurationError: An argument cannot be right; while iterating: the client was closed.
            AuthenticationError, RateLimitError: While iterating, as these would be the same for all others. The
                results before it were given; so it is with whatever `ids` itself raises.
        """
        return Lookup(self._send, _detail, ids, concurrency=concurrency)

    async def get(self, case_id: int) -> CaseDetail:
        """One case with its history (`GET cases/{id}`, seed page; the shape of the history is not public).

        Raises:
            NotFoundError: There is no such case.
        """
        return await self._send(_detail(case_id))

    async def create(self, case: NewCase) -> CreatedCase:
        """Open a case (`POST cases`, seed page; that the answer has `casenum` is known from the plugin).

        Sent once: if the answer is lost, `OutcomeUnknownError` tells so, and no second case is ever opened silently.

        Raises:
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been opened.
        """
        return await self._send(post("v1/cases", one(CreatedCase), case_form(case)))

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
        return await self._send(post(_path(case_id, "addnote"), acknowledgement, unstructure(note) | extra))

    async def tag(self, case_id: int, tag_id: int | None = None, *, tag: str | None = None) -> Acknowledgement:
        """Put a tag on a case (`POST cases/{id}/tag/{tag}`, seed page). Doing it twice changes nothing.

        Args:
            case_id: The case.
            tag_id: The tag.
            tag: The tag's name in place of the id; looked up first (see `FuseDesk.directory`).
        """
        return await self._send(_tagging(case_id, "tag", tag_id, tag))

    async def untag(self, case_id: int, tag_id: int | None = None, *, tag: str | None = None) -> Acknowledgement:
        """Take a tag off a case (`POST cases/{id}/untag/{tag}`, seed page). Doing it twice changes nothing.

        Args:
            case_id: The case.
            tag_id: The tag.
            tag: The tag's name in place of the id; looked up first (see `FuseDesk.directory`).
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
    ) -> list[Acknowledgement]:
        """Add notes, calls and emails of the past to a case (`POST cases/{id}/history`, seed page).

        A long history goes in several requests. If one of them fails, `completed` of the error says how many
        elements are in already; go on with `history[error.completed:]` once you know about the failed ones.

        Args:
            case_id: The case.
            history: What to add, in this order.
            skip_infusionsoft: Keep it out of the CRM (`skipinfusionsoft`).
            form_size: Bytes. No request's form gets larger than this. What the server takes is not public.

        Returns:
            The server's answer to each request.

        Raises:
            ConfigurationError: There is nothing to add, or one element alone is larger than `form_size`. Nothing
                was sent then.
            OutcomeUnknownError: The answer to one request was lost: its elements may be in.
        """
        path, answers, completed = _path(case_id, "history"), list[Acknowledgement](), 0
        for form, elements in forms(history, skip_infusionsoft=skip_infusionsoft, size=form_size):
            try:
                answers.append(await self._send(post(path, acknowledgement, form)))
            except FuseDeskError as error:
                error.completed = completed
                raise
            completed += elements
        return answers


def _path(case_id: int, *rest: str) -> str:
    return "/".join(("v1/cases", number(case_id, "a case id"), *rest))


def _tagging(case_id: int, what: str, tag_id: int | None, tag: str | None) -> Call[Acknowledgement]:
    return ending_in(post(_path(case_id, what), acknowledgement, repeatable=True), "tag", tag_id, tag)


def _detail(case_id: int) -> Call[CaseDetail]:
    return get(_path(case_id), one(CaseDetail))


def _id(case: Case) -> int:
    return case.id


def _update(case_id: int, **fields: object) -> Call[Acknowledgement]:
    """A change of some fields of a case; a change of none is refused, since it would cost a call for nothing."""
    return post(_path(case_id), acknowledgement, request_names(fields, at_least_one=True))
