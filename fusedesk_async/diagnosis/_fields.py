"""Questions about the members of cases: their names, types, and what stands for nothing."""

from collections import Counter
from collections.abc import Sequence

from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers
from fusedesk_async.diagnosis._shapes import Row, json_type, kind_of, members, own_members, safe_name
from fusedesk_async.models import Case, CaseDetail

PAGES = ("default", "ascending", "bare", "descending")
_IDS = ("caseid", "id")
_NUMBERS = ("casenum", "casenumber", "case_number")
_DEPARTMENTS = ("departmentid", "depid")
_COUNTED = (*_IDS, *_DEPARTMENTS, "contactid", "companyid", "repid")
_KNOWN = own_members(Case) | own_members(CaseDetail) | {*_IDS, *_NUMBERS, *_DEPARTMENTS}
_DATES = tuple(sorted(name for name in own_members(Case) if name.startswith("date_")))
_MARKERS = {"null": "null", "empty text": "empty", "false": "false", "zero date": "zero"}
_USUAL_MARKERS = {"null", "empty", "false"}


def _no_cases(answers: Answers) -> Outcome:
    page = answers["default"]
    return unread(page) if page.rows is None else cannot_tell("no case was seen")


@question("case_members", *PAGES)
def case_members(answers: Answers) -> Outcome:
    """Count the kinds of the values of each member."""
    cases = answers.cases
    if not cases:
        return _no_cases(answers)
    found = members(cases)
    evidence = f"{len(found)} members were seen on {len(cases)} rows"
    return judged(found, evidence, known=found.keys() <= _KNOWN)


def _which(answers: Answers, names: Sequence[str], usual: int) -> Outcome:
    """Which of several names came; the first so many are the usual ones."""
    cases = answers.cases
    if not cases:
        return _no_cases(answers)
    counts = {name: sum(name in case for case in cases) for name in names}
    came = [name for name in names if counts[name]]
    evidence = ", ".join(f"{name} on {counts[name]} of {len(cases)} rows" for name in names)
    if not came and names is _IDS:
        return cannot_tell(evidence)
    return judged(came, evidence, known=came == list(names[:usual]))


@question("case_id_names", *PAGES)
def case_id_names(answers: Answers) -> Outcome:
    """Which of the doubles came."""
    return _which(answers, _IDS, 2)


@question("case_number_names", *PAGES)
def case_number_names(answers: Answers) -> Outcome:
    """Which of the doubles came."""
    return _which(answers, _NUMBERS, 2)


@question("department_names", *PAGES)
def department_names(answers: Answers) -> Outcome:
    """Which of the names came."""
    return _which(answers, _DEPARTMENTS, 1)


@question("numbers_as_text", *PAGES)
def numbers_as_text(answers: Answers) -> Outcome:
    """Count the ids that came as text."""
    kinds = Counter(kind_of(case[name]) for case in answers.cases for name in _COUNTED if name in case)
    texts, numbers = kinds["number as text"], kinds["number"]
    if not texts + numbers:
        return _no_cases(answers)
    evidence = f"of the ids in cases {texts} came as text, {numbers} as numbers"
    return judged(None if texts and numbers else bool(texts), evidence, known=not texts)


@question("missing_dates", *PAGES)
def missing_dates(answers: Answers) -> Outcome:
    """Count what stands where a date could."""
    cases = answers.cases
    if not cases:
        return _no_cases(answers)
    counts = Counter(_marker(case, name) for case in cases for name in _DATES)
    found = [marker for marker in (*_MARKERS.values(), "absent") if counts[marker]]
    if not found:
        return cannot_tell("no date was missing")
    evidence = ", ".join(f"{marker} {counts[marker]} times" for marker in found)
    return judged(found, evidence, known=_USUAL_MARKERS.issuperset(found))


def _marker(case: Row, name: str) -> str:
    return _MARKERS.get(kind_of(case[name]), "") if name in case else "absent"


@question("extra_members", *PAGES)
def extra_members(answers: Answers) -> Outcome:
    """Name what the library does not know, with its type."""
    cases = answers.cases
    if not cases:
        return _no_cases(answers)
    types: dict[str, Counter[str]] = {}
    for case in cases:
        for name in case.keys() - _KNOWN:
            types.setdefault(safe_name(name), Counter())[json_type(kind_of(case[name]))] += 1
    value = {name: _usual(types[name]) for name in sorted(types)[:100]}
    return judged(value, f"{len(types)} unknown members on {len(cases)} rows", known=not value)


def _usual(types: Counter[str]) -> str:
    """The type that came most often, null only if nothing else came."""
    return max(types, key=lambda kind: (kind != "null", types[kind], kind))
