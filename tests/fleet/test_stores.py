"""What all stores promise: a change is one transaction, with the store's clock, or it is no change at all."""

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import anyio
import psycopg
import pytest
import redis
from anyio import to_thread

from fusedesk_async import ConfigurationError
from fusedesk_async.fleet import PostgresQuota, RedisQuota, SQLiteQuota, StoreUnreachable, _connected, _sqlite

ACCOUNT = "acme.fusedesk.com/0123456789abcdef"

COUNT = """
import sys
from fusedesk_async.fleet import StoreUnreachable, shared_quota
store, remaining = shared_quota(sys.argv[1]), int(sys.argv[2])
while remaining:
    try:
        store.change("account", lambda state, _: (str(int(state or 0) + 1).encode(), None))
        remaining -= 1
    except StoreUnreachable as error:  # on a busy machine others may have it for seconds
        if "locked" not in str(error):
            raise
"""
DIE = """
import os, signal, sys
from fusedesk_async.fleet import shared_quota
def change(state, _):
    print("inside", flush=True)
    sys.stdin.readline()
shared_quota(sys.argv[1]).change("account", change)
"""


def add_one(state, _):
    number = int(state or 0) + 1
    return str(number).encode(), number


def look(state, clock):
    return state or b"", (state, clock)


def test_it_holds_nothing_at_first_and_then_what_it_was_given(store):
    assert store.change(ACCOUNT, look)[0] is None
    everything = bytes(range(256)) * 20
    assert store.change(ACCOUNT, lambda *_: (everything, "result")) == "result"
    assert store.change(ACCOUNT, look)[0] == everything


def test_accounts_know_nothing_of_each_other(store):
    assert [store.change(account, add_one) for account in ("a", "b", "a", "b's \\ % \N{SNOWMAN}")] == [1, 1, 2, 1]


def test_its_clock_goes_forward(store):
    times = [store.change(ACCOUNT, look)[1] for _ in range(20)]
    assert times == sorted(times)
    assert abs(times[-1] - time.time()) < 60


def test_what_a_change_raises_goes_on_and_leaves_the_state_alone(store):
    store.change(ACCOUNT, add_one)

    def fail(state, clock):
        raise ConfigurationError(f"{state} is not ours")

    with pytest.raises(ConfigurationError, match="is not ours"):
        store.change(ACCOUNT, fail)
    assert store.change(ACCOUNT, add_one) == 2


def test_it_can_be_closed_and_goes_on(store):
    store.close()
    store.change(ACCOUNT, add_one)
    store.close()
    store.close()
    assert store.change(ACCOUNT, add_one) == 2


@pytest.mark.anyio
async def test_tasks_lose_no_change(store, anyio_backend):
    async with anyio.create_task_group() as group:

        async def count():
            for _ in range(10):
                await to_thread.run_sync(store.change, ACCOUNT, add_one)

        for _ in range(8):
            group.start_soon(count)
    assert store.change(ACCOUNT, look)[0] == b"80"


def test_processes_lose_no_change(store, address):
    command = [sys.executable, "-c", COUNT, address, "50"]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert store.change("account", look)[0] == b"200"


def test_one_that_is_killed_in_the_middle_of_a_change_changes_nothing_and_stops_nobody(store, address):
    store.change("account", add_one)
    command = [sys.executable, "-c", DIE, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"inside\n"
        process.kill()
    assert store.change("account", add_one) == 2


FORK = """
import os, sys
from fusedesk_async.fleet import shared_quota
def add_one(state, _):
    number = int(state or 0) + 1
    return str(number).encode(), number
store = shared_quota(sys.argv[1])
assert store.change("account", add_one) == 1
child = os.fork()
if not child:
    assert store.change("account", add_one) == 2
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.change("account", add_one) == 3
"""


def test_a_forked_process_uses_a_connection_of_its_own(address):
    subprocess.run([sys.executable, "-c", FORK, address], check=True)


def test_what_a_parent_has_open_is_left_open(store, monkeypatch):
    store.change(ACCOUNT, add_one)
    parents = store._connection
    with monkeypatch.context() as patch:
        patch.setattr(_connected.os, "getpid", lambda: -1)
        assert store.change(ACCOUNT, add_one) == 2
        assert store._connection is not parents
        store.close()
    store._connection, store._opened_by = parents, os.getpid()
    assert store.change(ACCOUNT, add_one) == 3


def out_of_reach(store):
    with pytest.raises(StoreUnreachable) as failure:
        store.change(ACCOUNT, add_one)
    return str(failure.value)


def test_a_server_that_is_away_is_out_of_reach_and_found_again(request, address, store, monkeypatch):
    monkeypatch.setattr(_sqlite, "STORE_TIMEOUT", 0.1)
    store.change(ACCOUNT, add_one)
    if address.startswith("sqlite"):
        with closing(sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert "SQLiteQuota" in out_of_reach(store)
        assert store.change(ACCOUNT, add_one) == 2
        return
    kind = "redis" if address.startswith("redis") else "postgres"
    server = request.getfixturevalue(f"{kind}_server")
    server.stop()
    try:
        text = out_of_reach(store)
    finally:
        server.start()
    assert f"{kind}quota" in text.lower()
    # Redis has forgotten all; PostgreSQL, which was not shut down but failed, may have lost the last moment
    assert store.change(ACCOUNT, add_one) in {1, 2}
    assert store.change(ACCOUNT, add_one) in {2, 3}


def test_what_is_there_and_is_none_of_ours_is_left_alone(request, tmp_path, postgres_url, redis_url):
    (tmp_path / "notes.txt").write_text("no database, but a text that somebody wants to keep" * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        SQLiteQuota(tmp_path / "notes.txt").change(ACCOUNT, add_one)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE mine (id int)")
    with pytest.raises(ConfigurationError, match="column"):
        PostgresQuota(postgres_url, table="mine").change(ACCOUNT, add_one)
    with redis.from_url(redis_url) as connection:
        connection.hset(f"mine:{ACCOUNT}", "a", "b")
        with pytest.raises(ConfigurationError, match="WRONGTYPE"):
            RedisQuota(redis_url, prefix="mine:").change(ACCOUNT, add_one)
        assert connection.hgetall(f"mine:{ACCOUNT}") == {b"a": b"b"}


def test_a_table_of_postgres_may_be_in_a_schema_and_made_by_somebody_else(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA work")
    with closing(PostgresQuota(postgres_url, table="work.quota")) as store:
        assert store.change(ACCOUNT, add_one) == 1
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA work TO reader")
        connection.execute("GRANT SELECT, INSERT, UPDATE ON work.quota TO reader")
    with closing(PostgresQuota(postgres_url.replace("postgres@", "reader@"), table="work.quota")) as store:
        assert store.change(ACCOUNT, add_one) == 2
    with pytest.raises(ConfigurationError, match="permission denied"):
        PostgresQuota(postgres_url.replace("postgres@", "reader@"), table="work.other").change(ACCOUNT, add_one)


def test_two_processes_may_make_the_table_at_once(postgres_url, monkeypatch):
    """Then PostgreSQL says to one of them that there is such a type already."""

    def made_by_another(store, connection, statement, **values):
        result = execute(store, connection, statement, **values)
        if statement.startswith("CREATE"):
            raise psycopg.errors.UniqueViolation
        return result

    execute = PostgresQuota._execute
    monkeypatch.setattr(PostgresQuota, "_execute", made_by_another)
    with closing(PostgresQuota(postgres_url)) as store:
        assert store.change(ACCOUNT, add_one) == 1


def test_redis_gives_up_if_others_are_always_faster(redis_url):
    def change(state, _):
        with closing(RedisQuota(redis_url)) as other:
            other.change(ACCOUNT, add_one)
        return b"", None

    with closing(RedisQuota(redis_url)) as store, pytest.raises(StoreUnreachable, match="others were faster"):
        store.change(ACCOUNT, change)


def test_no_text_shows_a_password():
    for store in (
        PostgresQuota("postgresql://jo:sesame-open@127.0.0.1:1/work"),
        RedisQuota("redis://jo:sesame-open@127.0.0.1:1/0"),
    ):
        assert "sesame" not in out_of_reach(store)
        assert "sesame" not in repr(store)
        assert re.search("127.0.0.1", repr(store))
        error = type("Chatty", (store._errors[0],), {})("password sesame-open was refused")
        assert "sesame" not in str(store._failure(error))
        store.close()
