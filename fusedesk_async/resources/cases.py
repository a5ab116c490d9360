"""Cases: search, read, open, and everything one can do with one."""

from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Unpack, overload
from uuid import UUID

import attrs

from fusedesk_async._pagination.bookmark import Bookmark
from fusedesk_async._pagination.lookup import Lookup
from fusedesk_async._pagination.pages import Pages
from fusedesk_async._pagination.walk import OnUnordered, Walk
from fusedesk_async._reconcile.creation_log import Creation, CreationLog
from fusedesk_async._wire.call import LARGEST_PAGE, BeforeSending, Call, CallSender, get, post
from fusedesk_async._wire.chunking import DEFAULT_FORM_SIZE, history_forms, id_chunks
from fusedesk_async._wire.converter import case_form, unstructure
from fusedesk_async._wire.field_names import request_names
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async._wire.name_refs import by_name, with_id_segment
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import acknowledgement, many, one
from fusedesk_async._wire.search_query import search_query
from fusedesk_async.errors import FuseDeskError, OutcomeUnknownError
from fusedesk_async.filters import CaseFilters, Day, OrderBy, encode_day
from fusedesk_async.models import Acknowledgement, Case, CaseDetail, CreatedCase, NewCase, NewHistoryItem, NewNote
from fusedesk_async.resources._resource import Resource, case_path, comma_list, filled, in_one

if TYPE_CHECKING:
    from fusedesk_async._reconcile.find import Finder
    from fusedesk_async.models import Directory
    from fusedesk_async.resources.case_feedback import Feedback

_MANY = "v1/cases/update"


class Cases(Resource):
    """Everything one can do with cases. An id is always `Case.id`, the record id, not the number people see."""

    def __init__(
        self,
        send: CallSender,
        server_clock: ServerClock,
        directory: "Callable[[], Awaitable[Directory]]",
        creations: CreationLog,
        timeout: float,
        profile: LearnedProfile | None = None,
    ) -> None:
        super().__init__(send)
        self._profile = profile or LearnedProfile()
        self._server_clock = server_clock
        self._directory = directory
        self._creations = creations
        self._timeout = timeout

    def search(
        self, *, order_by: OrderBy | None = None, page_size: int = LARGEST_PAGE, **filters: Unpack[CaseFilters]
    ) -> Pages[Case]:
        """Cases that match all filters, fetched page by page while you iterate (`GET cases`, seed page).

        Without `order_by` the cases come in the order of their ids, each once, and none that matched throughout is
        missed, however many cases are opened, closed, deleted or retagged meanwhile: pages count only where they
        join up, and rows that have moved are asked for again. Rows that cannot be had are passed over with a warning
        (`Page.unreadable`). A server that sorts descending is followed downwards; one that keeps no order by id is gone
        through until nothing new comes, with a warning.

        It ends with a look whether its last case is the newest, one more call: but a first page of less than 100 cases
        is believed to be all as soon as the server has sent this client a longer one, and an empty list (`[]`) at once.

        With `order_by` it is plain paging: a case that changes its position while you iterate can be missed; one that
        comes twice is dropped. By `date_updated`, the server's own default, this happens whenever anyone works.

        Args:
            order_by: `asc("date_opened")`, several of these, or the API's text such as `"date_lastresponse desc"`.
            page_size: Rows fetched at once, 2 to 500 (1 to 500 with `order_by`). Each page is one call of the hourly
                quota.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter, the order or the page size cannot be right.
            PaginationError: While iterating: the server ignores the offset, or a dozen requests in a row bring nothing
                new.
        """
        call = get("v1/cases", many(Case), search_query(order_by, **filters))
        return Pages(
            self._send, call, page_size=page_size, identity=identity, ascending=order_by is None, profile=self._profile
        )

    @overload
    async def find_created(
        self, lost: OutcomeUnknownError, *, exclude: Collection[int] = (), settle: float | None = None
    ) -> Case | None: ...

    @overload
    async def find_created(
        self, lost: NewCase, *, sent_at: datetime, exclude: Collection[int] = (), settle: float | None = None
    ) -> Case | None: ...

    async def find_created(
        self,
        lost: OutcomeUnknownError | NewCase,
        *,
        sent_at: datetime | None = None,
        exclude: Collection[int] = (),
        settle: float | None = None,
    ) -> Case | None:
        """The case that a `create` has opened although its answer got lost; None if it certainly opened none.

            try:
                await desk.cases.create(new)
            except OutcomeUnknownError as lost:
                case = await desk.cases.find_created(lost)

        It looks among the newest cases by id, and among those opened around the date that was asked for and around the
        time of sending (`GET cases`, seed page), in all departments, as a case may have been moved since. What comes is
        compared on this side: the case must agree in opener, summary, details, department, contact, company, tags and
        time. White space and HTML escaping may differ, and so may the rep. With `date_opened` given, the time must be
        that one, or the time of sending as long as the server was not seen to keep the dates it is given. Else it must
        lie between sending and the end of `settle`, to within 5 seconds by the server's clock as its `Date` headers
        say, or within 10 minutes if they do not.

        If nothing is found, it waits until a request that is still in flight must have ended, and looks again. None
        means that both looks found nothing and would have found it: the newest cases reach back to one that this client
        knew before, or searches by date bring what they should and cases that were surely opened show what the server
        makes of dates. So sending it again does no harm.

        A look costs 2 to 4 calls where few cases are opened, and one more for each 500 cases opened within two days
        of these times. A case that is open already is found by one look; that there is none takes two, and at least two
        minutes.

        Args:
            lost: The error that `create` raised, or what it was to open.
            sent_at: With a `NewCase`: when it was sent, by this machine's clock; a datetime with a time zone.
            exclude: Ids of cases that are known to be others, such as those your own journal has already.
            settle: Seconds from giving up the response (with a `NewCase`: from sending and the client's timeout) until
                the server has done it or never will. The longest it takes is not public, and not bounded by PHP's 30
                seconds for a script, which do not count waiting for a database. By default at least 120, and four
                times as long as the attempt and the client's timeout.

        Raises:
            CannotTellError: Several cases are equal in all of this, or one differs only in what the server or people
                may have changed: cut texts, another zone, another department since. `candidates` has their ids. Or
                none was found, and nothing shows that it would have been.
            ConfigurationError: What got lost was no new case.
        """
        from fusedesk_async._reconcile.lost import lost_case  # noqa: PLC0415 - few need it, and importing costs

        if isinstance(lost, NewCase) and lost.has_names:
            lost = (await self._directory()).new_case(lost)
        what = lost_case(lost, sent_at, settle, self._timeout)
        return await self.finder().find(what, frozenset(exclude))

    def finder(self) -> "Finder":
        """What looks for cases that may have been opened, several at once; for this package's own use."""
        from fusedesk_async._reconcile.find import Finder  # noqa: PLC0415 - few need it, and importing costs

        return Finder(self.search, self._server_clock, self._creations, self._timeout)

    def walk(
        self,
        *,
        concurrency: int = 4,
        page_size: int = LARGEST_PAGE,
        after: Bookmark | None = None,
        on_unordered: OnUnordered = "report",
        **filters: Unpack[CaseFilters],
    ) -> Walk[Case]:
        """All cases that match all filters, in the order of their ids, for large jobs (`GET cases`, seed page).

        Like a `search` it loses none that matched throughout and gives none twice. Beyond that it fetches pages ahead,
        counts what it does and lists what is missing (`walk.report`), and can be resumed after a crash
        (`walk.bookmark`). Its calls are bulk work: they let interactive calls go first, unless
        `with_options(priority="interactive")` says otherwise.

            async with desk.cases.walk(status="all") as walk:
                async for case in walk:
                    ...

        An error ends the walk, after the cases that were fetched before it; `walk.bookmark` is good then, too.

        Args:
            concurrency: How many pages may be in flight at once; as many again wait for you. It costs up to that many
                calls that bring nothing at the end. The client's own `concurrency` bounds them all.
            page_size: Rows fetched at once, 2 to 500. Each page is one call of the hourly quota.
            after: The bookmark of another walk with the same filters, to resume where that one stopped. Cases
                that came to match meanwhile but have smaller ids are not gone back for.
            on_unordered: What to do if the server does not keep an order by id: `report` it (`walk.report.unordered`, a
                warning and the log) and go through all pages until nothing new comes, which may miss what moves; or
                `raise` a `PaginationError`. There is no bookmark then. Ids that descend are as good as ones that
                ascend.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter or another argument cannot be right, or the bookmark is of other filters.
            PaginationError: While iterating: the server ignores the offset, or a dozen requests in a row bring nothing
                new.
            RateLimitError: While iterating, with `on_rate_limit="raise"`.
        """
        call = get("v1/cases", many(Case), search_query(None, **filters))
        return Walk(
            self._send,
            call,
            identity,
            page_size=page_size,
            concurrency=concurrency,
            after=after,
            on_unordered=on_unordered,
            profile=self._profile,
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
                open walk will do: `lookup.bookmark` says where to resume it. An id that comes twice is fetched twice.
            concurrency: How many cases may be in flight at once; as many again wait for you.

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
        began = self._server_clock.clock.time()
        self._creations.begin(began)
        created = await self._send(attrs.evolve(call, before_sending=before_sending))
        asked, now = encode_day(case.date_opened) if case.date_opened else None, self._server_clock.clock.time()
        self._creations.add(Creation(created.id, created.case_number, asked, began, now, answered_at=now))
        return created

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
        elements are in already; continue with `history[error.completed:]` once you know about the failed ones.

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
        for form, elements in history_forms(history, skip_infusionsoft=skip_infusionsoft, size=form_size):
            try:
                call = attrs.evolve(post(path, acknowledgement, form), before_sending=before_sending)
                answers.append(await self._send(call))
            except FuseDeskError as error:
                error.completed = completed
                raise
            completed += elements
        return answers

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
        `completed` of the error says how many cases were processed; continue with `case_ids[error.completed:]` once you
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
        for ids, cases in id_chunks(case_ids):
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

    @property
    def feedback(self) -> "Feedback":
        """What customers say of cases, and whether they are asked."""
        from fusedesk_async.resources.case_feedback import Feedback  # noqa: PLC0415 - few programs ask

        return Feedback(self._send)


def identity(case: Case) -> int:
    """What tells cases apart."""
    return case.id


def _detail(case_id: int) -> Call[CaseDetail]:
    return get(case_path(case_id), one(CaseDetail))


def _tagging(case_id: int, what: str, tag_id: int | None, tag: str | None) -> Call[Acknowledgement]:
    return with_id_segment(post(case_path(case_id, what), acknowledgement, repeatable=True), "tag", tag_id, tag)


def _update(case_id: int, **fields: object) -> Call[Acknowledgement]:
    """A change of some fields of a case; a change of none is refused, since it would cost a call for nothing."""
    return post(case_path(case_id), acknowledgement, request_names(fields, at_least_one=True))
