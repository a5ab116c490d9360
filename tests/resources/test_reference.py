"""The table of operations, the code, the docstrings, the sandbox, the type tests and the reference say the same."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
from operations import Operation, unopened
from reference import OPERATIONS, PAGE, page

from fusedesk_async.resources._resource import Resource
from fusedesk_async.sandbox._endpoints import find_endpoint
from fusedesk_async.sandbox._endpoints._registry import ENDPOINTS

DEPRECATED = re.compile(r"/api/v1/(departments|reps).*")
TYPED = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "typing").glob("*.py"))


MADE_OF_OTHERS = {"cases.find_created", "cases.finder"}
"""Calls that send nothing of their own: this one searches."""


def named(operation):
    return operation.call


def calls(owner, prefix=""):
    """The names of all calls below a client or a resource."""
    for name in dir(owner):
        if name.startswith("_"):
            continue
        value = getattr(owner, name)
        if isinstance(value, Resource):
            yield from calls(value, f"{prefix}{name}.")
        elif prefix and inspect.ismethod(value):
            yield prefix + name


def test_every_call_has_one_row_and_every_row_a_call():
    assert Counter(operation.call for operation in OPERATIONS) == Counter(
        {"check", *calls(unopened())} - MADE_OF_OTHERS
    )


def test_nothing_is_called_list():
    assert "list" not in {operation.call.rpartition(".")[2] for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_docstring_tells_request_and_source(operation: Operation):
    told = inspect.getdoc(operation.function())
    wanted = re.sub(r"\{\w+\}", "{}", f"`{operation.method} {operation.path.removeprefix('v1/')}`")
    assert wanted in re.sub(r"\{\w+\}", "{}", told)
    sources = {"seed page": "seed page", "plugin": "plugin", "third party": "third-party source"}
    assert sources[operation.evidence] in told
    if operation.returns.__name__ in {"Acknowledgement", "Created"} and operation.evidence == "third party":
        assert "assumed" in told or operation.call in {"cases.update", "cases.close", "cases.reopen"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_docstring_of_a_write_tells_whether_it_is_sent_again(operation: Operation):
    told = " ".join(inspect.getdoc(operation.function()).split())
    again = re.search(r"twice changes nothing|so it is retried when", told, re.IGNORECASE)
    assert bool(again) == (operation.writes and operation.repeatable)


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_sandbox_asks_for_the_scope(operation: Operation):
    endpoint, _ = find_endpoint(operation.method, operation.path_sent)
    assert endpoint.scope == operation.scope


def test_the_sandbox_knows_no_call_that_is_not_in_the_table():
    missing = []
    for endpoint in ENDPOINTS:
        hit = any(find_endpoint(operation.method, operation.path_sent)[0] is endpoint for operation in OPERATIONS)
        if not hit and not DEPRECATED.match(endpoint.path.pattern):
            missing.append(endpoint.path.pattern)
    assert missing == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_type_checkers_look_at_it(operation: Operation):
    assert re.search(rf"\b(desk|opened)\.{re.escape(operation.call)}\(", TYPED)


def test_the_reference_is_up_to_date():
    assert page() == PAGE.read_text(encoding="utf-8"), "run: uv run python tests/helpers/reference.py"


def test_the_reference_names_every_call():
    assert len(OPERATIONS) == page().count("| `desk.")
    assert all(callable(operation.function()) for operation in OPERATIONS)
