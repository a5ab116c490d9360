"""Questions about writes, answered by one case of our own."""

import html
import re
from datetime import timedelta
from functools import partial

from fusedesk_async.diagnosis._history import case_of, server_time
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._scratch import BACKDATED, DETAILS
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._shapes import moment, shape_of

SAME_DATE = timedelta(hours=15)
"""By so much two dates may be apart that are the same in two zones."""
WRITE_QUESTIONS = (
    "create_answer",
    "keeps_date_opened",
    "text_changes",
    "note_answer",
    "tag_answer",
    "tags_twice",
    "close_answer",
    "reopen_answer",
    "transfer_answer",
)


def _answer(call: str, answers: Answers) -> Outcome:
    """The shape of what a write answers."""
    page = answers[call]
    if page.kind == "value":
        shape = shape_of(page.value)
        return judged(shape, f"{shape['shape']} with {len(shape['members'])} members", known=True)
    return judged(None, page.problem, known=False) if page.is_refusal else unread(page)


for _call in ("create", "note", "tag", "close", "reopen", "transfer"):
    question(f"{_call}_answer", _call)(partial(_answer, _call))


@question("tags_twice", "tag", "tag_again")
def tags_twice(answers: Answers) -> Outcome:
    """Put a tag on the case that it has."""
    first, again = answers["tag"], answers["tag_again"]
    if first.kind != "value":
        return unread(first)
    if again.is_refusal:
        return judged(False, f"the second time: {again.problem}", known=False)  # noqa: FBT003 - the value
    return judged(True, "the second time was a success", known=True) if again.kind == "value" else unread(again)  # noqa: FBT003


@question("keeps_date_opened", "create", "created")
def keeps_date_opened(answers: Answers) -> Outcome:
    """Compare the date of the case with the one that was sent."""
    page = _shown(answers)
    case = case_of(page)
    opened = None if case is None else moment(case.get("date_opened"))
    if opened is None or page.answer is None:
        return cannot_tell(page.problem or "the case shows no date_opened")
    ago = server_time(page) - opened
    kept = abs(ago - BACKDATED) < SAME_DATE
    return judged(kept, "it was opened three days back" if kept else "another date came back", known=kept)


def _shown(answers: Answers) -> Seen:
    """The case as it came back: by itself, or else when it was opened."""
    return answers["created"] if answers["created"].kind == "value" else answers["create"]


@question("text_changes", "create", "created")
def text_changes(answers: Answers) -> Outcome:
    """Compare the details of the case with those that were sent."""
    page = _shown(answers)
    text = (case_of(page) or {}).get("details")
    if not isinstance(text, str):
        return cannot_tell(page.problem or "the case shows no details")
    found = changes_of(text, DETAILS)
    if found is None:
        return judged(None, f"{len(DETAILS)} characters came back as {len(text)}, changed in another way", known=False)
    evidence = f"{len(DETAILS)} characters came back as {len(text)}{': ' if found else ''}{', '.join(found)}"
    return judged(found, evidence, known=not found)


def changes_of(text: str, sent: str) -> list[str] | None:
    """What happened to a text: `trimmed`, `escaped`, `cut`; None if it was something else."""
    escaped = "&lt;" in text and "&lt;" not in sent
    plain = html.unescape(re.sub(r"&\w*$", "", text)) if escaped else text
    trimmed = plain[:1] != sent[:1] and plain[:1] == sent.strip()[:1]
    whole = sent.strip() if trimmed else sent
    cut = len(plain) < len(whole) and len(plain) < len(whole.rstrip())
    if not (whole.startswith(plain) if cut else plain in {whole, whole.rstrip()}):
        return None
    trimmed = trimmed or (not cut and plain != whole)
    return [name for name, is_so in (("trimmed", trimmed), ("escaped", escaped), ("cut", cut)) if is_so]
