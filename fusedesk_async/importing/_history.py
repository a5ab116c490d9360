"""A history that is too large to be sent with its case."""

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from fusedesk_async._reconcile.lost import form_of
from fusedesk_async._text import plain
from fusedesk_async._wire.chunking import DEFAULT_FORM_SIZE, history_forms
from fusedesk_async._wire.converter import HISTORY_NAMES
from fusedesk_async.errors import CannotTellError, Request
from fusedesk_async.models import CaseDetail, Email, HistoryItem, NewCase, NewEmail, NewHistoryItem, Note

Key = tuple[str, str, str]


def is_sent_separately(case: NewCase) -> bool:
    """Whether the history must be sent after the case, since one form would get too large."""
    if not case.history:
        return False
    return sum(len(text.encode()) * 3 for text in form_of(case).values()) > DEFAULT_FORM_SIZE


def without_history(case: NewCase) -> NewCase:
    """The case alone."""
    return attrs.evolve(case, history=())


def chunks(case: NewCase, done: int) -> Iterator[tuple[int, int]]:
    """The ranges of the history that are still to be sent, each in one form: from, to.

    Raises:
        ConfigurationError: One element alone is too large for a form. Raised before the first is given.
    """
    rest = case.history[done:]
    if not rest:
        return
    for _, elements in history_forms(rest, skip_infusionsoft=case.skip_infusionsoft, size=DEFAULT_FORM_SIZE):
        yield done, done + elements
        done += elements


def imported_elements(case: NewCase, done: int, sent: int, detail: CaseDetail) -> int:
    """How many elements of the history were imported: at least `done` of them, and up to `sent`.

    Raises:
        CannotTellError: The server shows no history, or only some of those elements, and not the first ones.
    """
    if not any(name in detail.raw for name in HISTORY_NAMES):
        message = "the server shows no history, so what was imported of it is unknown"
        raise CannotTellError(message, Request("POST", f"v1/cases/{detail.id}/history"), (detail.id,))
    shown = Counter(filter(None, map(_shown_key, detail.history)))
    if case.type != "import":  # the server makes a note of the case's own text, then
        shown[case.type or "note", plain(case.summary), plain(case.details)] -= 1
    keys = [_key(item) for item in case.history[:sent]]
    shown.subtract(keys[:done])
    are_shown = [_take(shown, key) for key in keys[done:]]
    count = sum(are_shown)
    if not all(are_shown[:count]):
        message = "only some of the elements that were sent were imported, and not the first ones"
        raise CannotTellError(message, Request("POST", f"v1/cases/{detail.id}/history"), (detail.id,))
    return done + count


def _take(shown: "Counter[Key]", key: Key) -> bool:
    shown[key] -= 1
    return shown[key] >= 0


def _key(item: NewHistoryItem) -> Key:
    if isinstance(item, NewEmail):
        return item.type, plain(item.subject), plain(item.body)
    return item.type, plain(item.title), plain(item.note)


def _shown_key(item: HistoryItem) -> Key | None:
    match item:
        case Email():
            return item.type, plain(item.subject or ""), plain(item.body or "")
        case Note():
            return item.type, plain(item.title or ""), plain(item.note or "")
        case _:
            return None


def history_slice(case: NewCase, start: int, end: int) -> Sequence[NewHistoryItem]:
    """A range of the history."""
    return case.history[start:end]
