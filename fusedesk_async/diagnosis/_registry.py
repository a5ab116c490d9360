"""The table of questions. A function joins it by its decorator."""

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from fusedesk_async.diagnosis._finding import Finding, Verdict
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._table import QUESTIONS


@attrs.frozen
class Outcome:
    """What a question comes to; see `Finding`."""

    verdict: Verdict
    value: Any
    evidence: str


Ask: TypeAlias = Callable[[Answers], Outcome]


@attrs.frozen
class Question:
    """A question.

    Attributes:
        name: Its name in reports.
        calls: The calls whose responses it is answered from; none for those that look at all responses.
        ask: Answers it.
    """

    name: str
    calls: tuple[str, ...]
    ask: Ask

    def finding(self, answers: Answers) -> Finding:
        """The finding."""
        outcome = self.ask(answers)
        verdict, value, evidence = outcome.verdict, outcome.value, outcome.evidence
        return Finding(name=self.name, question=QUESTIONS[self.name], verdict=verdict, value=value, evidence=evidence)


FOUND: dict[str, Question] = {}


def question(name: str, *calls: str) -> Callable[[Ask], Ask]:
    """Put a function into the table.

    Args:
        name: The name of its question.
        calls: The calls that it looks at.
    """

    def register(ask: Ask) -> Ask:
        FOUND[name] = Question(name, calls, ask)
        return ask

    return register


def judged(value: Any, evidence: str, *, known: bool) -> Outcome:
    """What was seen, which the library assumes (`known`) or not."""
    return Outcome("known" if known else "differs", value, evidence)


def cannot_tell(evidence: str) -> Outcome:
    """Nothing can be said, and why."""
    return Outcome("cannot tell", None, evidence)


def unread(answer: Seen) -> Outcome:
    """Nothing can be said, since the response is not what it should be."""
    return cannot_tell(answer.problem or "the response is no list of records")
