"""Finds out what holds for a server: the calls of the plan one after another, each question as soon as it can be."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from fusedesk_async._client import FuseDesk, send_once_for
from fusedesk_async._clock import utc
from fusedesk_async._wire.answer import UNAUTHORIZED
from fusedesk_async._wire.call import number
from fusedesk_async.diagnosis import _dates, _endpoints, _fields, _history, _limits, _lists, _transport, _writes
from fusedesk_async.diagnosis._asker import Asker
from fusedesk_async.diagnosis._finding import Diagnosis, Finding
from fusedesk_async.diagnosis._plan import READS
from fusedesk_async.diagnosis._profile import profile_of
from fusedesk_async.diagnosis._registry import FOUND, Question
from fusedesk_async.diagnosis._scratch import MOST_WRITES, WRITES, ScratchCase
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._shapes import row_id
from fusedesk_async.diagnosis._table import QUESTIONS
from fusedesk_async.diagnosis._writes import WRITE_QUESTIONS
from fusedesk_async.errors import AuthenticationError, ConfigurationError, NotSentError, Request
from fusedesk_async.models import Department

OnFinding: TypeAlias = Callable[[Finding], object]
THEMES = (_dates, _endpoints, _fields, _history, _limits, _lists, _transport, _writes)
"""Whose questions are asked: importing them puts these into the table."""

MOST_READS = 25
"""Calls that read at the most, those included that are made again after a 429."""
PATIENCE = 5.0
"""Seconds that the quota may delay a call before it counts as not to be had."""


@attrs.frozen
class PlannedCall:
    """A call of a diagnosis.

    Attributes:
        method: The HTTP method.
        path: What is called, without any id.
        words: What for.
        questions: The names of the questions that look at it; those that look at all responses are not among them.
    """

    method: str
    path: str
    words: str
    questions: tuple[str, ...]


def plan(*, writes: bool = False) -> list[PlannedCall]:
    """What a diagnosis would do. It makes no call.

    Args:
        writes: Whether the calls about a case of our own are to be among them.
    """
    reads = [PlannedCall("GET", each.path, each.words, _asked_of(each.name, writes=writes)) for each in READS]
    own = [
        PlannedCall(_method(name), "v1/cases", words, _asked_of(name, writes=True)) for name, words in WRITES.items()
    ]
    return reads + own if writes else reads


def _method(name: str) -> str:
    return "GET" if name in {"look", "look_again", "created", "noted"} else "POST"


def _asked_of(call: str, *, writes: bool) -> tuple[str, ...]:
    return tuple(each.name for each in questions(writes=writes) if call in each.calls)


def questions(*, writes: bool) -> list[Question]:
    """The questions in the order of their table."""
    return [FOUND[name] for name in QUESTIONS if writes or name not in WRITE_QUESTIONS]


async def diagnose(
    desk: FuseDesk, *, write_in: Department | int | str | None = None, on_finding: OnFinding | None = None
) -> Diagnosis:
    """What holds for a server, in at most 25 bulk calls that read.

    Each question ends in a verdict, whatever the server does. When few calls of the hour are left, or three in a row
    get no response, no more are made, and the findings say which were not. The client begins with what was found out.

        async with FuseDesk("acme", api_key=key) as desk:
            diagnosis = await diagnose(desk)
            print(json.dumps(diagnosis.to_report()))

    Args:
        desk: An open client.
        write_in: A department in which exactly one case may be opened: by itself, by its id or its name. The case gets
            a note and a tag, is closed, reopened, transferred to the same department, and closed at the end, with up
            to 14 calls beyond those that read. Without it nothing is written.
        on_finding: Called with each finding as soon as there is one.

    Returns:
        All findings. If the case could not be closed, `open_case` has its id.

    Raises:
        AuthenticationError: The key is wrong.
        NotSentError: There is no such server.
        ConfigurationError: The server has no department of that name, or the client is not open. Nothing was written.
    """
    writes = write_in is not None
    asker = Asker(send_once_for(desk, patience=PATIENCE), desk.clock, MOST_READS)
    pending = _Pending(questions(writes=writes), asker.answers, on_finding)
    await _read(asker, pending, write_in)
    open_case: int | None = None
    lost_case: str | None = None
    department = None if write_in is None else _department_id(write_in, asker.answers)
    if department is not None and asker.has_left(MOST_WRITES):
        asker.budget = asker.calls + MOST_WRITES
        closing = send_once_for(desk, patience=PATIENCE, priority="interactive")
        scratch = ScratchCase(asker, closing, department)
        await scratch.use()
        open_case, lost_case = scratch.unclosed()
    findings = pending.all()
    today = utc(desk.clock.time()).date()
    profile = profile_of({each.name: each for each in findings}, asker.answers, today)
    desk.begin_with(profile)
    return Diagnosis(
        findings=tuple(findings),
        profile=profile,
        calls=asker.calls,
        open_case=open_case,
        lost_case=lost_case,
    )


async def _read(asker: Asker, pending: "_Pending", write_in: Department | int | str | None) -> None:
    """Make the calls that read."""
    for planned in READS:
        came = await asker.ask(planned.name, planned.call, planned.make(asker.answers))
        if planned is READS[0]:
            _raise_if_hopeless(came, Request("GET", planned.path, 1))
        if planned.name == "departments" and write_in is not None:
            _department_id(write_in, asker.answers)
        pending.answer()


def _raise_if_hopeless(came: Seen, request: Request) -> None:
    """Fail if no other call would fare better than the first one."""
    if came.answer is not None and came.answer.status == UNAUTHORIZED:
        message = "the server does not know the key"
        raise AuthenticationError(message, request, UNAUTHORIZED)
    if came.kind == "lost" and came.is_unsent:
        message = "no connection came about"
        raise NotSentError(message, request)


def _department_id(department: Department | int | str, answers: Answers) -> int | None:
    """The id of a department; None if the list of them could not be read.

    Raises:
        ConfigurationError: None, or more than one, has the name.
    """
    if isinstance(department, Department):
        return department.id
    if not isinstance(department, str):
        return int(number(department, "a department's id"))
    rows = answers["departments"].rows
    if rows is None:
        return None
    wanted = department.strip().casefold()
    found = [row_id(row) for row in rows if str(row.get("name")).strip().casefold() == wanted]
    if len(found) != 1 or found[0] is None:
        message = f"{len(found)} departments have the name {department!r:.80}; give the id of one"
        raise ConfigurationError(message)
    return found[0]


class _Pending:
    """The questions without a finding so far."""

    def __init__(self, asked: Sequence[Question], answers: Answers, on_finding: OnFinding | None) -> None:
        self._order = [each.name for each in asked]
        self._open = list(asked)
        self._answers = answers
        self._on_finding = on_finding
        self._found: dict[str, Finding] = {}

    def answer(self) -> None:
        """Answer those whose calls have all been made."""
        made = self._answers.by_call.keys()
        self._answer(each for each in self._open if each.calls and made >= {*each.calls})

    def all(self) -> list[Finding]:
        """Answer the others, and give all findings in the order of the questions."""
        self._answer(iter(self._open))
        return [self._found[name] for name in self._order]

    def _answer(self, ready: Iterator[Question]) -> None:
        for each in list(ready):
            self._open.remove(each)
            self._found[each.name] = each.finding(self._answers)
            if self._on_finding is not None:
                self._on_finding(self._found[each.name])
