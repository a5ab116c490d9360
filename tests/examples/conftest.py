"""The programs of `docs/examples`, as modules."""

import importlib.util
import sys
from pathlib import Path

import pytest

from fusedesk_async.sandbox import Sandbox, serve_in_thread

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
loaded = {}


@pytest.fixture
def sandbox():
    return Sandbox(12)


@pytest.fixture
def environment(sandbox, monkeypatch):
    """What the programs read from the environment, with a sandbox behind it."""
    with serve_in_thread(sandbox) as url:
        settings = {"FUSEDESK_APP": "acme", "FUSEDESK_BASE_URL": url, "FUSEDESK_API_KEY": sandbox.api_key}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield settings


@pytest.fixture
def load(environment, monkeypatch):
    """Gives the module of a program: a new one, or that of an earlier test if it can be there only once."""

    def load(name, *, once=False):
        if once and name in loaded:
            return loaded[name]
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)  # where annotations and pickles look for it
        spec.loader.exec_module(module)
        loaded[name] = module
        return module

    return load
