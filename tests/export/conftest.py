"""Where outputs of all kinds are."""

import pytest
from exports import DATABASES


@pytest.fixture
def place(request, tmp_path):
    """Gives what an output of a name is called: a file in the folder of the test, or a database of its own."""

    def place(name):
        return request.getfixturevalue("postgres_url") if name == "postgres" else tmp_path / name

    return place


@pytest.fixture(params=DATABASES)
def out(request, place):
    """An output with tables."""
    return place(request.param)
