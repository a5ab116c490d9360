"""The sandbox stands by itself: what it imports, and what importing it loads."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import fusedesk_async.sandbox as package

ROOT = Path(package.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ALLOWED = {"anyio", "attrs", "orjson"} | sys.stdlib_module_names


def name_of(file: Path) -> str:
    parts = ("fusedesk_async", "sandbox", *file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


MODULES = {name_of(file): file for file in FILES}


def imports(name: str) -> set[str]:
    """All modules a module imports, deferred and type-only imports included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
            found |= {full if (full := f"{base}.{alias.name}") in MODULES else base for alias in node.names}
    return found


def test_nothing_of_the_client_is_imported() -> None:
    for name in MODULES:
        for imported in imports(name):
            if imported.startswith("fusedesk_async"):
                assert imported in MODULES, f"{name} imports {imported}"


def test_starlette_and_uvicorn_stand_in_one_file_each() -> None:
    users = {imported.split(".")[0]: set[str]() for name in MODULES for imported in imports(name)}
    for name in MODULES:
        for imported in imports(name):
            users[imported.split(".")[0]].add(name.removeprefix("fusedesk_async.sandbox."))
    assert users["starlette"] == {"_app"}
    assert users["uvicorn"] == {"_server"}
    assert users.keys() - ALLOWED == {"fusedesk_async", "starlette", "uvicorn"}


def test_imports_point_one_way() -> None:
    graph = {name: {each for each in imports(name) if each in MODULES and each != name} for name in MODULES}
    assert [*TopologicalSorter(graph).static_order()]


def test_the_names_are_sorted_and_there() -> None:
    assert package.__all__ == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_importing_the_package_leaves_the_extras_alone() -> None:
    code = "import sys, fusedesk_async.sandbox; print({'starlette', 'uvicorn'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
