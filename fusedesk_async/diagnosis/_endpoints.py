"""Questions about the other lists: what departments, reps, tags, contacts and the like look like; and the scopes."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from fusedesk_async import _json, models
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers
from fusedesk_async.diagnosis._shapes import own_members, shape_of, shape_of_name
from fusedesk_async.models import Record

RECORDS: Mapping[str, type[Record]] = {
    "departments": models.Department,
    "reps": models.Rep,
    "case_tags": models.CaseTag,
    "contacts": models.Contact,
    "emails": models.EmailMessage,
    "chats": models.Chat,
    "webhooks": models.Webhook,
    "integrations": models.Integration,
}
_SCOPE = re.compile(r"[a-z_]{1,40}")


def _look(record: type[Record], call: str, answers: Answers) -> Outcome:
    """Count the kinds of the values of each member of the records of a list."""
    page = answers[call]
    if page.kind != "value":
        return unread(page)
    rows = page.rows
    if rows is None:
        shape = shape_of(page.value)
        return judged(shape, f"{shape['shape']} came where a list was due", known=False)
    if not rows:
        return cannot_tell("the list is empty, so its members cannot be seen")
    shape, known = shape_of(rows), own_members(record)
    unknown = shape["members"].keys() - known
    evidence = f"{len(rows)} records, {len(shape['members'])} members, {len(unknown)} of them unknown"
    return judged(shape, evidence, known=not unknown)


for _name, _record in RECORDS.items():
    question(_name, _name)(partial(_look, _record, _name))


@question("scopes", "permissions")
def scopes(answers: Answers) -> Outcome:
    """Name the scopes."""
    page = answers["permissions"]
    if page.kind != "value":
        return unread(page)
    value: Any = page.value
    if not _json.is_list(value) or not all(isinstance(each, str) for each in cast("Sequence[Any]", value)):
        return judged(None, "what came is no list of texts", known=False)
    names = sorted({each if _SCOPE.fullmatch(each) else shape_of_name(each) for each in value})
    return judged(names, f"the key has {len(value)} scopes", known=all(map(_SCOPE.fullmatch, value)))
