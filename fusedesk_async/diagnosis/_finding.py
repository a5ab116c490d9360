"""What a diagnosis finds."""

from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async._version import __version__
from fusedesk_async._wire.profile import ServerProfile

Verdict: TypeAlias = Literal["known", "differs", "cannot tell"]
REPORT_VERSION = 1


@attrs.frozen(kw_only=True)
class Finding:
    """The answer to one question about the server. Nothing of a customer, and no id, is in it.

    Attributes:
        name: The name of the question, as in reports.
        question: The question.
        verdict: `known` if the server does as this library assumes by its documentation; `differs` if something else
            was seen, which need not be bad; `cannot tell`.
        value: What was seen: a name, a count, a type, a shape. None if that cannot be told, or not in one value.
        evidence: How that is known, in a sentence.
    """

    name: str
    question: str
    verdict: Verdict
    value: Any
    evidence: str


@attrs.frozen(kw_only=True)
class Diagnosis:
    """What was found out about a server.

    Attributes:
        findings: One for each question, in the order of the plan.
        profile: What lists, searches and the limiter need of it.
        calls: How many calls it took.
        open_case: The id of the case that was opened for questions about writes and could not be closed; None if there
            is none. It is not in the report.
        lost_case: The summary of a case that may have been opened, although the response was lost and the case was
            not found; None if there is none. It is not in the report either.
    """

    findings: tuple[Finding, ...]
    profile: ServerProfile
    calls: int
    open_case: int | None = None
    lost_case: str | None = None

    @property
    def not_asked(self) -> tuple[str, ...]:
        """The names of the questions for which a call was not made."""
        return tuple(each.name for each in self.findings if "not asked" in each.evidence)

    def to_report(self) -> dict[str, Any]:
        """All of it as JSON can hold it, for others to read: names, shapes, counts and types, and nothing else."""
        return {
            "version": REPORT_VERSION,
            "library": __version__,
            "profile": self.profile.to_json(),
            "findings": {
                each.name: {"verdict": each.verdict, "value": each.value, "evidence": each.evidence}
                for each in self.findings
            },
        }
