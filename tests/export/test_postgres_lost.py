"""Exports into a Postgres whose connections are lost, whose server fails, and whose lock another process took."""

import random
import threading

import attrs
import psycopg
import pytest
from clients import client
from exports import Killed, bookmark, connected, ids_in, job, left_beside, rows, select, sink
from postgres_proxy import proxied

from fusedesk_async import ExportError
from fusedesk_async.export import _postgres_session as postgres_session
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox, SandboxProfile

BATCHES = ([1, 2, 3], [5], [8, 9])


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(postgres_session, "PAUSE", 0.01)
    monkeypatch.setattr(postgres_session, "LOCK_ATTEMPTS", 200)


def carry_out(url, *, overwrite=False, batches=BATCHES):
    """Write what is still missing, as an export does."""
    output = sink(url)
    try:
        reached = output.open(job(url), resume="auto", overwrite=overwrite)
        done = int(reached.bookmark.split()[1]) if reached.bookmark else 0
        for batch in batches:
            fresh = [each for each in batch if each > done]
            if reached.phase == "cases" and fresh:
                count = reached.cases + len(fresh)
                reached = output.write(rows(fresh), attrs.evolve(reached, bookmark=bookmark(fresh[-1]), cases=count))
        if reached.phase == "cases":
            reached = output.write([], attrs.evolve(reached, phase="complete", bookmark=""))
        assert output.missing_histories() in ([], None)
        output.finish()
        output.forget()
    finally:
        output.close()
    assert reached.cases == 6


def is_whole(url):
    assert ids_in(url) == [1, 2, 3, 5, 8, 9]
    assert left_beside(url) == []
    assert select(url, "SELECT is_reported FROM fusedesk_export") == [(True,)]
    return True


WORDS = (b"COMMIT", b"BEGIN", b"INSERT INTO cases", b"SET checkpoint", b"RENAME", b"history_error IS NOT", b"pg_total")


@pytest.mark.parametrize("is_delivered", [True, False])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("replaces", [False, True])
def test_a_connection_lost_at_any_step_is_made_anew_and_nothing_comes_twice(word, is_delivered, replaces, postgres_url):
    if replaces:
        carry_out(postgres_url)
    with proxied(postgres_url) as proxy:
        proxy.cut(word, is_delivered=is_delivered)
        carry_out(proxy.url, overwrite=replaces)
        assert not proxy.cuts
    assert is_whole(postgres_url)


@pytest.mark.parametrize("nth", range(1, 6))
def test_whichever_commit_gets_no_response_it_counts_once(nth, postgres_url):
    """There is one for each batch, one for the end of the rows, and one for the name."""
    with proxied(postgres_url) as proxy:
        proxy.cut(b"COMMIT", is_delivered=True, nth=nth)
        carry_out(proxy.url)
        assert not proxy.cuts
    assert is_whole(postgres_url)


def test_a_connection_that_is_lost_twice_ends_it_and_the_next_run_goes_on(postgres_url):
    with proxied(postgres_url) as proxy:
        proxy.cut(b"COMMIT", is_delivered=False, nth=2, times=2)
        with pytest.raises(ExportError, match=r"cannot write postgresql://.*") as caught:
            carry_out(proxy.url)
        assert caught.value.reason == "output"
        assert select(postgres_url, "SELECT id FROM cases ORDER BY id", "fusedesk_part") == [(1,), (2,), (3,)]
        carry_out(proxy.url)
    assert is_whole(postgres_url)


def test_a_server_that_stays_away_ends_it(postgres_server, postgres_url, monkeypatch):
    monkeypatch.setattr(postgres_session, "ATTEMPTS", 3)
    output = sink(postgres_url)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    reached = output.write(rows([1]), attrs.evolve(reached, bookmark=bookmark(1), cases=1))
    postgres_server.stop()
    try:
        with pytest.raises(ExportError, match=r"cannot open postgresql://.*: connection") as caught:
            output.write(rows([2]), attrs.evolve(reached, bookmark=bookmark(2), cases=2))
        output.forget()
        output.close()
    finally:
        postgres_server.start()
    assert caught.value.reason == "output"
    again = sink(postgres_url)
    assert again.open(job(postgres_url), resume="require", overwrite=False).cases == 1
    again.close()


def test_a_server_that_fails_and_comes_back_is_waited_for(postgres_server, postgres_url, monkeypatch):
    monkeypatch.setattr(postgres_session, "ATTEMPTS", 10_000)
    output = sink(postgres_url)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    reached = output.write(rows([1]), attrs.evolve(reached, bookmark=bookmark(1), cases=1))
    postgres_server.stop()
    starting = threading.Thread(target=postgres_server.start)
    starting.start()
    reached = output.write(rows([2]), attrs.evolve(reached, bookmark=bookmark(2), cases=2))
    starting.join()
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.forget()
    output.close()
    assert ids_in(postgres_url) == [1, 2]


@pytest.mark.parametrize("act", ["write", "restart", "finish"])
def test_who_lost_the_lock_to_another_process_stops(act, postgres_url, monkeypatch):
    monkeypatch.setattr(postgres_session, "LOCK_ATTEMPTS", 2)
    output = sink(postgres_url)
    reached = output.open(job(postgres_url), resume="auto", overwrite=True)
    reached = output.write(rows([1]), attrs.evolve(reached, bookmark=bookmark(1)))
    cut_off(postgres_url)
    other = sink(postgres_url)
    there = other.open(job(postgres_url), resume="require", overwrite=False)
    acts = {
        "write": lambda: output.write(rows([2]), attrs.evolve(reached, bookmark=bookmark(2))),
        "restart": output.restart,
        "finish": output.finish,
    }
    with pytest.raises(ExportError, match="is in use by process") as caught:
        acts[act]()
    assert caught.value.reason == "locked"
    there = other.write(rows([7]), attrs.evolve(there, bookmark=bookmark(7)))
    other.close()
    with pytest.raises(ExportError, match="was changed by another process meanwhile") as caught:
        acts[act]()
    assert caught.value.reason == "locked"
    cut_off(postgres_url)
    last = sink(postgres_url)
    last.open(job(postgres_url), resume="require", overwrite=False)
    last.write([], attrs.evolve(there, phase="complete"))
    last.finish()
    last.close()
    with pytest.raises(ExportError, match=r"was changed by another process|exists already"):
        acts[act]()
    output.close()
    assert ids_in(postgres_url) == [1, 7]


def cut_off(url):
    """End all other sessions, as a firewall or an administrator does."""
    with connected(url) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname ="
            " current_database()"
        )


@pytest.mark.anyio
@pytest.mark.parametrize("history", [False, True])
async def test_an_export_whose_server_fails_at_random_is_exact(
    history, postgres_server, postgres_url, clock, monkeypatch, anyio_backend
):
    monkeypatch.setattr(postgres_session, "ATTEMPTS", 10_000)
    sandbox = Sandbox(60, clock=clock, profile=SandboxProfile(largest_limit=9, over_limit="cut"))
    chance, failures = random.Random(f"{history} {anyio_backend}"), 0

    def fails(progress):
        nonlocal failures
        if chance.random() < 0.2 and failures < 3:
            failures += 1
            postgres_server.stop()
            postgres_server.start()

    async with client(sandbox, clock) as desk:
        report = await export_cases(desk, postgres_url, status="all", history=history, on_progress=fails)
    assert failures > 0
    assert (report.cases, report.is_whole) == (60, True)
    assert ids_in(postgres_url) == [*range(1, 61)]
    assert left_beside(postgres_url) == []


class Ticking(psycopg.Connection):
    """A connection that tells of each statement, before and after it is carried out."""

    tick = staticmethod(lambda: None)

    def execute(self, *given, **options):
        self.tick()
        result = super().execute(*given, **options)
        self.tick()
        return result


def killed_at(step, url, monkeypatch, **options):
    """Carry out an export whose process ends at the n-th step; whether it did."""
    count = 0

    def tick():
        nonlocal count
        count += 1
        if count >= step:  # it can do nothing any more
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ticking, "tick", staticmethod(tick))
        patch.setattr(psycopg, "connect", Ticking.connect)
        try:
            carry_out(url, **options)
        except Killed:
            is_killed = True
        else:
            is_killed = False
    cut_off(url)
    return is_killed


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("replaces", [False, True])
def test_each_single_step_may_be_the_last(replaces, postgres_server, monkeypatch):
    for step in range(3, 400, 7):
        url = postgres_server.new_database()
        if replaces:
            carry_out(url, batches=[[1, 2, 3, 5, 8, 9]])
        if not killed_at(step, url, monkeypatch, overwrite=replaces):
            break
        if (states := reported(url)) == [(True,)] and not replaces:
            continue
        carry_out(url, overwrite=replaces)
        assert is_whole(url), (step, states)
    else:
        pytest.fail("it never came to its end")
    assert step > 60


def reported(url):
    """Whether the caller knows that it is whole; nothing if it is not there."""
    with connected(url) as database:
        if database.execute("SELECT to_regclass('fusedesk.fusedesk_export')").fetchone() == (None,):
            return []
        return database.execute("SELECT is_reported FROM fusedesk_export").fetchall()


def test_a_run_after_a_kill_behind_the_rename_knows_that_it_is_whole(postgres_url):
    output = sink(postgres_url)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    reached = output.write(rows([1, 2]), attrs.evolve(reached, cases=2))
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.close()
    other = sink(postgres_url)
    with pytest.raises(ExportError, match="exists already") as caught:
        other.open(job(postgres_url, query="status=open"), resume="auto", overwrite=False)
    other.close()
    assert caught.value.reason == "exists"
    again = sink(postgres_url)
    assert again.open(job(postgres_url), resume="auto", overwrite=False).phase == "complete"
    assert again.missing_histories() is None
    assert again.finish() > 0
    again.forget()
    again.close()
    third = sink(postgres_url)
    with pytest.raises(ExportError, match="exists already"):
        third.open(job(postgres_url), resume="auto", overwrite=False)
    third.close()
