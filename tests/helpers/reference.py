"""Writes the reference of all operations: `uv run python tests/helpers/reference.py` puts it into docs/reference.md."""

from pathlib import Path

import operations_attention
import operations_cases
import operations_desk
import operations_talk
from operations import Operation

OPERATIONS: list[Operation] = [
    *operations_cases.OPERATIONS,
    *operations_attention.OPERATIONS,
    *operations_desk.OPERATIONS,
    *operations_talk.OPERATIONS,
]
KNOWN_SCOPES = {"cases", "cases_create", "cases_update", "reps", "departments", "integrations"}
PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
HEAD = """\
# Reference of all operations

Written by `uv run python tests/helpers/reference.py`; a test holds it to the code.

`desk` is an open `FuseDesk`. Paths stand below `https://<app>.fusedesk.com/api/`. The *scope* is the permission that
the key needs. The names `cases`, `cases_create`, `cases_update`, `reps`, `departments` and `integrations` are shown by
FuseDesk's plugin; which call needs which of them is concluded from their names. The others stand in no source.
*Known from* tells where the operation comes from:

- **seed page**: FuseDesk's own page on the API of cases;
- **plugin**: FuseDesk's own WordPress plugin makes the call;
- **third party**: lists of the API's calls that others keep;
- **in part assumed**: no source shows the answer, or what a value means: the docstring says which. The result is an
  `Acknowledgement`, a `Created`, or a record whose fields may be missing, each with the answer as it came in `raw`.

*Retried* tells whether the call is retried when its response is lost: reads are, writes only where they are idempotent.

| Operation | Python call | Request | Scope | Known from | Retried |
| --- | --- | --- | --- | --- | --- |
"""


def row(operation: Operation) -> str:
    """The line of an operation: what its docstring says first, up to where it says how."""
    what = (operation.function().__doc__ or "").split("\n")[0].partition(" (`")[0].rstrip(".")
    request = f"`{operation.method} {operation.path}`"
    scope = f"`{operation.scope}`" if operation.scope else "any key"
    if operation.scope and operation.scope not in KNOWN_SCOPES:
        scope += " (assumed)"
    told = "assumed" in (operation.function().__doc__ or "")
    evidence = f"{operation.evidence}, in part assumed" if told else operation.evidence
    retried = "yes" if operation.repeatable or not operation.writes else "no"
    return f"| {what} | `desk.{operation.call}` | {request} | {scope} | {evidence} | {retried} |"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"{row(operation)}\n" for operation in sorted(OPERATIONS, key=lambda each: each.call))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
