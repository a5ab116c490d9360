"""The order of the house: what is exported, how large files and functions are, what may be imported where."""

import ast
import io
import pickle
import statistics
import subprocess
import sys
import tokenize
import types
from pathlib import Path

import pytest

import fusedesk_async
from fusedesk_async import errors, filters, models

PACKAGE = Path(fusedesk_async.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
SHELL = {"auth", "connections", "exchange", "pytest_plugin"}


def test_exactly_what_is_listed_is_exported_and_the_list_is_sorted():
    listed = fusedesk_async.__all__
    assert listed == sorted(listed)
    visible = {name for name in dir(fusedesk_async) if not name.startswith("_")}
    modules = {
        "errors",
        "filters",
        "models",
        "resources",
        "sandbox",
        "pytest_plugin",
        "cli",
        "otel",
        "export",
        "fleet",
        "importing",
        "diagnosis",
    }
    assert visible - modules - {"TYPE_CHECKING"} == set(listed) - {"__version__"}


def test_what_is_loaded_later_is_there_when_it_is_asked_for_and_a_slip_is_told():
    assert set(fusedesk_async._MODELS) == set(models.__all__)
    for name in fusedesk_async.__all__:
        assert getattr(fusedesk_async, name) is getattr(models, name, getattr(fusedesk_async, name))
    for module in (fusedesk_async, models):
        with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'Departmant'"):
            _ = module.Departmant


def loaded(code):
    """The modules of ours that a program has loaded in the end."""
    program = f"{code}; import sys; print(*(name for name in sys.modules if name.startswith('fusedesk_async.')))"
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return {name.removeprefix("fusedesk_async.") for name in output.split()}


def test_later_is_later():
    package = loaded("import fusedesk_async")
    assert not package & {"models", "_wire.converter", "_wire.readers", "_pagination.pages", "resources.cases"}
    client = loaded("import fusedesk_async; fusedesk_async.FuseDesk('acme', api_key='key')")
    rare = {"models.department", "models.rep", "models.chat", "resources.departments", "resources.case_feedback"}
    assert {"models.case", "_pagination.walk", "resources.cases"} <= client
    assert not client & rare
    assert "models.rep" in loaded("from fusedesk_async import *")
    quota = {"quota_store", "protocol", "rules_memory", "shared_quota", "shared_limiter", "store_link", "open_permits"}
    assert not client & {"fleet", *(f"_ratelimit.{name}" for name in quota)}
    assert "models.case" in loaded("import fusedesk_async; fusedesk_async.models.Case")


@pytest.mark.parametrize("module", [errors, models])
def test_everything_public_of_a_module_can_be_had_from_the_top(module):
    names = {*vars(module), *getattr(module, "__all__", ())}
    public = {
        name
        for name in names
        if isinstance(value := getattr(module, name), type) and value.__module__.startswith("fusedesk_async")
    }
    assert {name for name in public if not name.startswith("_")} <= set(fusedesk_async.__all__)


def test_what_is_exported_names_the_package_as_its_home():
    exported = [getattr(fusedesk_async, name) for name in fusedesk_async.__all__]
    named = [value for value in exported if isinstance(value, type | types.FunctionType)]
    assert {value.__module__ for value in named} == {"fusedesk_async"}
    assert len(exported) - len(named) == 5, "version and type aliases"
    bookmark = fusedesk_async.Bookmark(7, 3, "0" * 16)
    assert b"_pagination" not in pickle.dumps(bookmark)
    assert pickle.loads(pickle.dumps(bookmark)) == bookmark


def test_files_are_small():
    assert {path: lines for path in FILES if (lines := code_lines(path.read_text())) > 300} == {}


def code_lines(source):
    """Lines with code on them: no docstrings, comments or blank lines."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in layout]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def test_functions_are_small():
    long = {
        f"{path.name}:{node.name}": statements
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (statements := body_lines(node)) > 25
    }
    assert set(long) <= {"_client.py:__init__", "in_flight.py:_run_in_task"}
    assert max(long.values()) <= 30


def test_an_endpoint_is_a_docstring_and_a_few_lines():
    endpoints = [
        body_lines(node)
        for path in (PACKAGE / "resources").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    assert statistics.median(endpoints) <= 5


def body_lines(node):
    """Lines of a function's body besides its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("library", "rooms"), [("httpx", SHELL), ("httpcore", {"connections"}), ("tenacity", {"retry"})]
)
def test_a_library_that_may_be_replaced_is_imported_in_few_places(library, rooms):
    client = [path for path in FILES if not {"sandbox", "cli"} & set(path.relative_to(PACKAGE).parts)]
    assert {path.stem for path in client if library in imports(path)} == rooms


def test_opentelemetry_is_imported_only_by_what_is_imported_for_it():
    assert {path.parent.name for path in FILES if "opentelemetry" in imports(path)} == {"otel"}


def test_time_and_chance_are_handed_in():
    for path in FILES:
        if path.stem not in {"_clock", "_server"} and "sandbox" not in path.parts and "cli" not in path.parts:
            assert "time" not in set(imports(path)), path
            assert "anyio.sleep" not in path.read_text(), path


def test_importing_the_package_imports_no_extra():
    extras = [
        "click",
        "rich",
        "starlette",
        "uvicorn",
        "orjson",
        "trio",
        "pytest",
        "psycopg",
        "pyarrow",
        "opentelemetry",
        "psycopg",
        "redis",
        "fusedesk_async.fleet",
        "fusedesk_async.sandbox",
    ]
    code = f"""
import sys, httpx  # which imports click and rich for its own command, where it finds them
before = set(sys.modules)
import fusedesk_async
print([name for name in {extras} if name in set(sys.modules) - before])
"""
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"


def test_filters_of_a_search_are_the_typed_ones():
    assert "status" in filters.CaseFilters.__optional_keys__
