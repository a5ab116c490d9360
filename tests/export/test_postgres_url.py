"""Addresses of databases: what they say, and that no password shows."""

import copy
import logging
import pickle
import traceback
from contextlib import suppress
from itertools import product
from urllib.parse import quote

import pytest
from clients import client
from exports import job, sink
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from fusedesk_async import ConfigurationError, FuseDeskError
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.export._options import Options
from fusedesk_async.export._postgres_url import PostgresUrl, is_address
from fusedesk_async.export._target import layout_of
from fusedesk_async.sandbox import Sandbox


def shown(error):
    """All that a log or a debugger would show of an error and what it was raised from, local variables included."""
    parts = []
    while error:
        parts += [repr(error), str(error), repr(error.args), repr(vars(error)), *frames(error)]
        error = error.__cause__ or error.__context__
    return parts


def frames(error):
    """The frames of an error with their variables, but for those of this file, which has the password."""
    walk = [frame for frame in traceback.walk_tb(error.__traceback__) if frame[0].f_code.co_filename != __file__]
    return traceback.StackSummary.extract(iter(walk), capture_locals=True).format()


SECRET = "cAnArY/p@ss:w?rd#%"
ESCAPED = quote(SECRET, safe="")


@pytest.mark.parametrize(
    ("text", "expected", "schema"),
    [
        ("postgresql:///db", "postgresql:///db?schema=fusedesk", "fusedesk"),
        ("postgres://jo@h:5/db?schema=x", "postgresql://jo@h:5/db?schema=x", "x"),
        (f"postgresql://jo:{ESCAPED}@h/db", "postgresql://jo@h/db?schema=fusedesk", "fusedesk"),
        (
            f"postgresql://h1,h2:7/?password={ESCAPED}&user=jo",
            "postgresql://h1,h2:7/?user=jo&schema=fusedesk",
            "fusedesk",
        ),
        ("POSTGRESQL://[::1]:5432/db?sslmode=require", "postgresql://[::1]:5432/db?schema=fusedesk", "fusedesk"),
        ("postgresql://?host=/run&schema=Mein%20Schema", "postgresql://?host=/run&schema=Mein%20Schema", "Mein Schema"),
    ],
)
def test_an_address_is_shown_without_its_password(text, expected, schema):
    url = PostgresUrl(text)
    assert (str(url), repr(url), url.schema) == (expected, f"PostgresUrl({expected!r})", schema)
    assert url.part == f"{schema}_part"
    assert "schema" not in conninfo_to_dict(url.reveal())
    if ESCAPED in text:
        assert conninfo_to_dict(url.reveal())["password"] == SECRET
        assert url.redact(f"no {SECRET} or {ESCAPED}") == "no *** or ***"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(url)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://jo:cAnArY/x@h/db",
        "postgresql://jo:cAnArY?x@h/db",
        "postgresql://jo:cAnArY#x@h/db",
        "postgresql://jo:cAnArY#x",
        "postgresql://jo:cAnArY@x@h/db",
        "postgresql://jo:cAnArY[x@h/db",
        "postgresql://jo:cAnArY%x@h/db",
        "postgresql://jo:cAnArY%00@h/db",
        "postgresql://jo:cAnArY",
        "postgresql://jo@h/db?password=cAnArY@x",
    ],
)
def test_a_password_that_is_not_escaped_is_refused_and_not_repeated(text):
    with pytest.raises(ConfigurationError, match="the address of the database cannot be read") as caught:
        PostgresUrl(text).check()
    assert not [each for each in shown(caught.value) if "cAnArY" in each]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "beginning",
    ["postgresql+psycopg://", "mysql://", " postgresql://", "postgres:/", "postgresql:", "Postgres+asyncpg:", "s3://"],
)
@pytest.mark.parametrize("end", ["@h/db", "@h/out.db", "@h"])
async def test_another_address_is_refused_and_not_repeated(beginning, end, clock, anyio_backend):
    text = f"{beginning}jo:cAnArY{end}"
    async with client(Sandbox(1, clock=clock), clock) as desk:
        for work in (export_cases, plan_export):
            with pytest.raises(ConfigurationError, match="begins with postgresql://") as caught:
                await work(desk, text)
            assert not [each for each in frames(caught.value) if "cAnArY" in each]
            assert "cAnArY" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "pg_mine", "out_part", "ä" * 30, "x" * 59])
def test_a_name_that_no_schema_can_have_is_refused(name):
    with pytest.raises(ConfigurationError, match="schema is a name of up to 58 bytes"):
        PostgresUrl(f"postgresql:///db?schema={quote(name)}").check()


@given(st.text(max_size=40), st.text(min_size=6, max_size=20))
def test_no_address_shows_a_password_of_it(rest, password):
    for spelling in {password, quote(password, safe="")}:
        text = f"postgresql://jo:cAnArY{spelling}@h/{rest}"
        url = PostgresUrl(text)
        assert "cAnArY" not in f"{url} {url!r}"
        with suppress(ConfigurationError):
            url.check()
            assert "cAnArY" not in url.redact(text)


def test_other_things_are_no_addresses():
    assert not any(
        map(is_address, ["out.db", "C:\\out.db", "C:/out.db", b"postgresql://x", None, "postgresql", "a:b.csv"])
    )
    assert layout_of("postgres", PostgresUrl("postgresql:///x"), history=True, guard_formulas=False) == ""


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["url", "parameter", "environment"])
async def test_the_password_shows_nowhere(way, postgres_url, clock, monkeypatch, caplog, capfd, anyio_backend):
    caplog.set_level(logging.DEBUG)
    url, seen = postgres_url, []
    if way == "url":
        url = url.replace("postgres@", f"postgres:{ESCAPED}@")
    elif way == "parameter":
        url += f"&password={ESCAPED}"
    else:
        monkeypatch.setenv("PGPASSWORD", SECRET)
    missing = url.replace("/test_", "/missing_")

    def watch(progress):
        seen.append(repr(progress))
        raise LookupError  # a traceback through all of it

    async with client(Sandbox(30, clock=clock), clock) as desk:
        options = await Options.read(desk, PostgresUrl(url), {})
        seen += [repr(options), options.name, repr(options.sink()), repr(vars(options.sink()))]
        with pytest.raises(LookupError) as caught:
            await export_cases(desk, url, on_progress=watch)
        seen += frames(caught.value)
        report = await export_cases(desk, url)
        seen += [repr(report), str(report.as_dict())]
        wrong = [f"{url}&schema=pg_x", f"{url}#", url, missing]
        for target, act in product(wrong, (export_cases, plan_export)):
            with pytest.raises(FuseDeskError) as caught:
                await act(desk, target)
            seen += shown(caught.value)
    output = sink(url)
    output.open(job(url), resume="never", overwrite=True)
    seen += [caplog.text, *capfd.readouterr(), repr(vars(output)), repr(vars(output._session))]
    output.close()
    assert len(seen) > 20
    assert not [text for text in seen if "cAnArY" in text]
