"""Exports into Postgres: what is there at any moment, who else is there, and what is no Postgres' business."""

import sys
from concurrent.futures import ThreadPoolExecutor

import attrs
import psycopg
import pytest
from clients import client
from exports import bookmark, connected, ids_in, job, left_beside, rows, select, sink

from fusedesk_async import ConfigurationError, ExportError
from fusedesk_async.export import _postgres_session as postgres_session
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.export._postgres import case_ids
from fusedesk_async.export._postgres_schema import COLUMNS, VIEWS
from fusedesk_async.export._target import destination, format_of
from fusedesk_async.sandbox import Sandbox


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(postgres_session, "PAUSE", 0.001)
    monkeypatch.setattr(postgres_session, "LOCK_ATTEMPTS", 200)


def begun(url, ids=(1, 2), **options):
    output = sink(url, **options)
    reached = output.open(job(url), resume="auto", overwrite=True)
    return output, output.write(rows(ids), attrs.evolve(reached, bookmark=bookmark(ids[-1]), cases=len(ids)))


def ended(output, reached):
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.forget()
    output.close()


def schemas(url):
    found = select(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'fusedesk%'")
    return {name for (name,) in found}


def test_readers_see_the_old_one_or_the_new_one(postgres_url):
    ended(*begun(postgres_url, [1, 2, 3]))
    output, reached = begun(postgres_url, [1, 2, 3, 4, 5])
    assert schemas(postgres_url) == {"fusedesk", "fusedesk_part"}
    assert ids_in(postgres_url) == [1, 2, 3]
    seen = set()
    with ThreadPoolExecutor() as pool:
        end = pool.submit(ended, output, reached)
        while not end.done():
            seen.add(len(ids_in(postgres_url)))
        end.result()
    assert seen <= {3, 5}
    assert ids_in(postgres_url) == [*case_ids(destination(postgres_url))] == [1, 2, 3, 4, 5]
    assert left_beside(postgres_url) == []


def test_a_reader_in_a_transaction_is_waited_for_and_reported(postgres_url, monkeypatch):
    ended(*begun(postgres_url, [1]))
    output, reached = begun(postgres_url, [1, 2])
    output.write([], attrs.evolve(reached, phase="complete"))
    with connected(postgres_url) as reader, reader.transaction():
        assert reader.execute("SELECT count(*) FROM cases").fetchone() == (1,)
        monkeypatch.setattr(postgres_session, "ATTEMPTS", 2)
        with pytest.raises(ExportError, match="another program reads or writes postgresql://") as caught:
            output.finish()
        assert caught.value.reason == "locked"
    output.close()
    again = sink(postgres_url)
    assert again.open(job(postgres_url), resume="require", overwrite=True).phase == "complete"
    again.finish()
    again.forget()
    again.close()
    assert ids_in(postgres_url) == [1, 2]


def test_who_interrupts_does_not_wait(postgres_url):
    ended(*begun(postgres_url, [1]))
    output, _ = begun(postgres_url, [1, 2])
    output.interrupt()
    with connected(postgres_url) as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM cases")
        with pytest.raises(ExportError, match="another program reads or writes"):
            output.finish()
    output.close()


@pytest.mark.parametrize("name", ["fusedesk", "fusedesk_part"])
def test_a_schema_that_is_not_ours_is_refused_by_name(name, postgres_url):
    with connected(postgres_url) as database:
        database.execute(f"CREATE SCHEMA {name} CREATE TABLE mine (id int)")
    for update in (False, True):
        output = sink(postgres_url, update=update)
        with pytest.raises(ExportError, match=f"the schema '{name}' is not a case export; give another") as caught:
            output.open(job(postgres_url), resume="never", overwrite=True)
        output.close()
        assert caught.value.reason == "checkpoint"
    assert select(postgres_url, "SELECT * FROM mine", name) == []


def test_what_others_made_of_it_is_not_dropped(postgres_url):
    ended(*begun(postgres_url, [1]))
    output, reached = begun(postgres_url, [1, 2])
    with connected(postgres_url) as database:
        database.execute("CREATE VIEW public.open_cases AS SELECT id FROM fusedesk.cases")
    with pytest.raises(ExportError, match=r"others depend on .*: view public.open_cases depends on table .*; update"):
        ended(output, reached)
    output.close()
    assert select(postgres_url, "SELECT * FROM public.open_cases") == [(1,)]
    output = sink(postgres_url, update=True)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    ended(output, output.write(rows([3]), reached))
    assert select(postgres_url, "SELECT * FROM public.open_cases ORDER BY 1") == [(1,), (3,)]


def test_a_table_of_others_in_the_schema_stops_its_replacement(postgres_url):
    ended(*begun(postgres_url, [1]))
    output, reached = begun(postgres_url, [1, 2])
    with connected(postgres_url) as database:
        database.execute("CREATE TABLE mine (id int)")
    with pytest.raises(ExportError, match=r"table fusedesk\.mine depends on schema"):
        ended(output, reached)
    output.close()
    assert ids_in(postgres_url) == [1]


@pytest.mark.anyio
async def test_who_may_make_no_schema_is_told_before_anything_is_asked(postgres_url, clock, anyio_backend):
    sandbox = Sandbox(3, clock=clock)
    with connected(postgres_url) as database:
        database.execute("DROP ROLE IF EXISTS reader")
        database.execute("CREATE ROLE reader LOGIN")
    for url in (
        postgres_url.replace("postgres@", "reader@"),
        f"{postgres_url}&options=-cdefault_transaction_read_only%3Don",
    ):
        async with client(sandbox, clock) as desk:
            with pytest.raises(ExportError, match="its user may make no schemas there; GRANT CREATE") as caught:
                await export_cases(desk, url)
        assert caught.value.reason == "output"
    assert not sandbox.received


def test_who_could_read_the_old_one_can_read_the_new_one(postgres_url):
    ended(*begun(postgres_url, [1]))
    with connected(postgres_url) as database:
        database.execute('DROP ROLE IF EXISTS "B\'I"')
        database.execute('CREATE ROLE "B\'I"')
        database.execute('GRANT USAGE ON SCHEMA fusedesk TO "B\'I"')
        database.execute('GRANT SELECT ON cases, timeline TO "B\'I" WITH GRANT OPTION')
        database.execute("GRANT SELECT ON history TO PUBLIC")
    ended(*begun(postgres_url, [1, 2]))
    with connected(postgres_url) as database:
        database.execute('SET ROLE "B\'I"')
        assert database.execute("SELECT count(*) FROM cases").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM timeline").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM history").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("SELECT count(*) FROM reps")
        database.execute("RESET ROLE")
        database.execute('DROP OWNED BY "B\'I"')
        database.execute('DROP ROLE "B\'I"')


@pytest.mark.parametrize(
    ("statement", "undone", "named"),
    [
        ("ALTER TABLE cases ADD COLUMN mine text", "ALTER TABLE cases DROP COLUMN mine", "column mine of cases"),
        (
            "ALTER TABLE reps ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE reps DISABLE ROW LEVEL SECURITY",
            "SECURITY of reps",
        ),
        ("CREATE POLICY mine ON history", "DROP POLICY mine ON history", "policy mine of history"),
        (
            "CREATE TRIGGER mine AFTER TRUNCATE ON cases EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TRIGGER mine ON cases",
            "trigger mine of cases",
        ),
        ("CREATE VIEW mine AS SELECT id FROM cases", "DROP VIEW mine", "view fusedesk.mine depends on"),
    ],
)
def test_what_others_have_added_stops_a_replacement_before_anything_is_asked(statement, undone, named, postgres_url):
    ended(*begun(postgres_url, [1]))
    with connected(postgres_url) as database:
        database.execute(statement)
    output = sink(postgres_url)
    with pytest.raises(ExportError, match=named) as caught:
        output.open(job(postgres_url), resume="auto", overwrite=True)
    output.close()
    assert caught.value.reason == "output"
    assert ids_in(postgres_url) == [1]
    with connected(postgres_url) as database:
        database.execute(undone)
    output, reached = begun(postgres_url, [2])
    with connected(postgres_url) as database:
        database.execute(statement)
    with pytest.raises(ExportError, match=named):
        ended(output, reached)
    output.close()
    assert ids_in(postgres_url) == [1]


def test_who_could_read_some_columns_still_can(postgres_url):
    ended(*begun(postgres_url, [1]))
    with connected(postgres_url) as database:
        database.execute("DROP ROLE IF EXISTS columns")
        database.execute("CREATE ROLE columns")
        database.execute("GRANT USAGE ON SCHEMA fusedesk TO columns")
        database.execute("GRANT SELECT (id) ON cases TO columns")
    ended(*begun(postgres_url, [2]))
    with connected(postgres_url) as database:
        database.execute("SET ROLE columns")
        assert database.execute("SELECT id FROM cases").fetchall() == [(2,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("SELECT summary FROM cases")
        database.execute("RESET ROLE")
        database.execute("DROP OWNED BY columns")
        database.execute("DROP ROLE columns")


def test_a_schema_of_an_older_version_gets_what_it_lacks(postgres_url):
    ended(*begun(postgres_url, [1]))
    with connected(postgres_url) as database:
        for view in VIEWS:
            database.execute(f"DROP VIEW {view}")
        database.execute("DROP TABLE reps, tag_names")
        database.execute("ALTER TABLE cases DROP COLUMN rating, ADD COLUMN mine text DEFAULT 'kept'")
    output = sink(postgres_url, update=True)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    ended(output, output.write(rows([1, 2]), reached))
    assert select(postgres_url, "SELECT id, mine, rating FROM cases ORDER BY id") == [
        (1, "kept", None),
        (2, "kept", None),
    ]
    for name in (*VIEWS, *COLUMNS):
        assert select(postgres_url, f"SELECT count(*) FROM {name}")


def test_a_schema_of_an_older_version_is_replaced(postgres_url):
    ended(*begun(postgres_url, [1]))
    with connected(postgres_url) as database:
        database.execute("DROP VIEW timeline, first_response, case_tags")
    ended(*begun(postgres_url, [2]))
    assert ids_in(postgres_url) == [2]


def test_what_has_taken_the_name_meanwhile_is_not_replaced_unasked(postgres_url):
    output = sink(postgres_url)
    reached = output.write(rows([1]), output.open(job(postgres_url), resume="auto", overwrite=False))
    with connected(postgres_url) as database:
        database.execute("CREATE SCHEMA fusedesk CREATE TABLE fusedesk_export (checkpoint text)")
    with pytest.raises(ExportError, match="exists already") as caught:
        ended(output, reached)
    output.close()
    assert caught.value.reason == "exists"
    assert select(postgres_url, "SELECT * FROM fusedesk_export") == []


def test_an_unchanged_case_stays_untouched(postgres_url):
    ended(*begun(postgres_url, [1, 2]))
    place = "SELECT id, xmin::text FROM cases ORDER BY id"
    before = select(postgres_url, place)
    output = sink(postgres_url, update=True)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    ended(output, output.write(rows([1, 2]), attrs.evolve(reached, phase="update")))
    assert select(postgres_url, place) == before


def test_names_of_schemas_are_quoted(postgres_url):
    url = f"{postgres_url}&schema=My%20%22desk%22%3B"
    output, reached = begun(url)
    ended(output, reached)
    assert select(postgres_url, "SELECT id FROM cases ORDER BY id", 'My "desk";') == [(1,), (2,)]
    ended(*begun(url, [5]))
    assert select(postgres_url, "SELECT id FROM cases", 'My "desk";') == [(5,)]
    assert schemas(postgres_url) == set()


def test_a_database_in_another_encoding_is_refused(postgres_url, postgres_server):
    with connected(postgres_url) as database:
        database.execute("DROP DATABASE IF EXISTS latin")
        database.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    output = sink(postgres_server.url("latin"))
    with pytest.raises(ExportError, match="stores texts in LATIN1; make a database with the encoding UTF8"):
        output.open(job(postgres_url), resume="auto", overwrite=False)
    output.close()


def test_a_database_that_is_not_there_is_reported(postgres_server, tmp_path):
    for url in (postgres_server.url("missing"), f"postgresql:///x?host={tmp_path}", "postgresql:///x?colour=blue"):
        output = sink(url)
        with pytest.raises(ExportError, match=r"cannot open postgresql://.*\?.*schema=fusedesk: ") as caught:
            output.find_checkpoint(job(url), resume="auto", overwrite=False)
        assert caught.value.reason == "output"
        assert "\n" not in str(caught.value)


def test_postgres_without_its_package_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "fusedesk_async.export._postgres", None)
    with pytest.raises(ConfigurationError, match=r"fusedesk_async\[postgres\]"):
        sink("postgresql:///x")


def test_only_an_address_is_for_postgres_and_it_is_for_nothing_else():
    for to, wanted in (("out.db", "postgres"), (destination("postgresql:///x"), "sqlite"), ("-", "postgres")):
        with pytest.raises(ConfigurationError, match="postgres is for addresses such as"):
            format_of(to, wanted)
    assert format_of(destination("postgres:///x"), "postgres") == "postgres"


@pytest.mark.anyio
async def test_permissions_of_files_are_for_files(clock, anyio_backend):
    async with client(Sandbox(1), clock) as desk:
        with pytest.raises(ConfigurationError, match="mode is for files only"):
            await plan_export(desk, "postgresql:///x", mode=0o640)


@pytest.mark.anyio
async def test_a_plan_changes_nothing(postgres_url, clock, anyio_backend):
    async with client(Sandbox(30, clock=clock), clock) as desk:
        plan = await plan_export(desk, postgres_url, status="all")
        assert (plan.at_most, plan.calls) == (30, 5)
        assert schemas(postgres_url) == set()
        report = await export_cases(desk, postgres_url, status="all")
        assert (report.cases, report.format, report.missing_names) == (30, "postgres", ())
        assert report.size > 100_000
        with pytest.raises(ExportError, match="schema=fusedesk exists already"):
            await plan_export(desk, postgres_url, status="all")
        with pytest.raises(ExportError, match="belongs to another export: its query is"):
            await export_cases(desk, postgres_url, status="open", update=True)
        plan = await plan_export(desk, postgres_url, status="all", update=True)
        report = await export_cases(desk, postgres_url, status="all", update=True)
        assert plan.at_least <= report.cases <= plan.at_most
