"""Histories too large for one form: in pieces, each exactly once."""

import sqlite3

import attrs
import pytest
from clients import client, new_case
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import CannotTellError, CaseDetail, Email, HistoryItem, NewEmail, NewNote, Note, RateLimiter
from fusedesk_async.importing import _history, import_cases
from fusedesk_async.importing._history import chunks, imported_elements, is_sent_separately
from fusedesk_async.sandbox import Sandbox

OLD = 40
FORM_SIZE = 10_000
"""In place of a million: what counts is that histories are larger."""
NOTES = tuple(NewNote(title=f"Note {number}", note=f"{number} " + "x" * 3_000) for number in range(8))
pytestmark = pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")


@pytest.fixture(autouse=True)
def small_forms(monkeypatch):
    monkeypatch.setattr(_history, "DEFAULT_FORM_SIZE", FORM_SIZE)


@pytest.fixture
def sandbox(clock):
    return Sandbox(OLD, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock, limiter=RateLimiter(assumed_limit=100_000)) as desk:
        yield desk


@pytest.fixture
def row(sandbox):
    return attrs.evolve(new_case(sandbox), type="import", history=NOTES)


def imported(sandbox):
    return [item["note"] for item in sandbox.state.history(OLD + 1)]


ALL = [note.note for note in NOTES]


@pytest.mark.anyio
async def test_a_large_history_follows_its_case_in_pieces(desk, sandbox, row, tmp_path):
    assert is_sent_separately(row)
    assert not is_sent_separately(attrs.evolve(row, history=NOTES[:1]))
    assert not is_sent_separately(attrs.evolve(row, history=()))
    report = await import_cases(desk, [row, row], journal=tmp_path / "journal")
    assert (report.opened, report.skipped) == (1, 1)
    assert [each.operation for each in sandbox.received] == ["create", "history", "history", "history"]
    assert imported(sandbox) == ALL
    again = await import_cases(desk, [row], journal=tmp_path / "journal")
    assert again.skipped == 1
    assert imported(sandbox) == ALL


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["import", None])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("after", [True, False])
async def test_a_piece_whose_answer_got_lost_is_looked_for_in_the_case(desk, sandbox, row, tmp_path, nth, after, kind):
    sandbox.fault("history", nth=nth, drop=True, after=after)
    report = await import_cases(desk, [attrs.evolve(row, type=kind)], journal=tmp_path / "journal")
    assert report.opened == 1
    assert imported(sandbox) == ALL if kind else imported(sandbox)[1:] == ALL
    assert [each.operation for each in sandbox.received].count("get") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("number_only", [True, False])
async def test_a_case_whose_opening_got_lost_or_told_no_id_gets_its_history(desk, sandbox, row, tmp_path, number_only):
    if number_only:
        sandbox.fault("create", after=True, body={"casenum": "WAIT0000"})
        await import_cases(desk, [], journal=tmp_path / "journal")
        report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
        assert report.unknown == 1
        assert "cannot be found by its date" in (tmp_path / "rejects").read_text()
        number = (await desk.cases.get(OLD + 1)).case_number
        with sqlite3.connect(tmp_path / "journal") as journal:
            journal.execute("UPDATE rows SET case_number = ?", (number,))
    else:
        sandbox.fault("create", drop=True, after=True)
    report = await import_cases(desk, [row], journal=tmp_path / "journal")
    assert report.opened + report.found == 1
    assert imported(sandbox) == ALL


@pytest.mark.anyio
async def test_a_history_that_is_refused_is_reported(desk, sandbox, row, tmp_path):
    sandbox.fault("history", nth=2, status=405)
    report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert report.rejected == 1
    assert (
        "was opened, but not all of its history was imported: The call could not" in (tmp_path / "rejects").read_text()
    )
    report = await import_cases(desk, [row], journal=tmp_path / "journal")
    assert report.opened == 1
    assert imported(sandbox) == ALL


@pytest.mark.anyio
async def test_an_element_that_is_too_large_for_any_form_is_reported(desk, sandbox, row, tmp_path):
    row = attrs.evolve(row, history=(NewNote(title="T", note="x" * 11_000),))
    report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert report.rejected == 1
    assert "element 0 of the history needs" in (tmp_path / "rejects").read_text()


@pytest.mark.anyio
async def test_a_case_that_is_gone_meanwhile_is_reported(desk, sandbox, row, tmp_path):
    sandbox.fault("history", nth=2, drop=True)
    sandbox.churn("get", lambda desk: desk.delete_cases(ids=[OLD + 1]))
    report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert report.rejected == 1
    assert "was opened, but is gone" in (tmp_path / "rejects").read_text()


@pytest.mark.anyio
async def test_a_server_that_shows_no_history_leaves_a_doubt(desk, sandbox, row, tmp_path):
    sandbox.fault("history", nth=2, drop=True, after=True)
    sandbox.fault("get", body={"caseid": OLD + 1, "casenum": "A"})
    report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert report.unknown == 1
    assert "shows no history" in (tmp_path / "rejects").read_text()
    assert [each.operation for each in sandbox.received].count("history") == 2


def shown(items):
    history = tuple(
        Note(type=item.type, title=item.title, note=item.note)
        if isinstance(item, NewNote)
        else Email(type="email", subject=item.subject, body=item.body)
        for item in items
    )
    return CaseDetail(id=1, history=(*history, HistoryItem(type="fax")), source=b'{"history": []}')


notes = st.builds(NewNote, title=st.sampled_from("AB"), note=st.sampled_from("CD"))
mails = st.builds(
    NewEmail, to=st.just("t"), sender=st.just("s"), subject=st.sampled_from("AB"), body=st.sampled_from("CD")
)


@given(st.lists(notes | mails, min_size=1, max_size=8), st.data(), st.sampled_from(["import", "note", None]))
def test_what_is_in_is_counted_whatever_is_alike(history, data, kind):
    done = data.draw(st.integers(0, len(history)))
    sent = data.draw(st.integers(done, len(history)))
    there = data.draw(st.integers(done, sent))
    case = attrs.evolve(CASE, history=history, type=kind)
    own = [] if kind == "import" else [NewNote(title=case.summary, note=case.details)]
    assert imported_elements(case, done, sent, shown([*own, *history[:there]])) == there


def test_elements_that_are_in_out_of_turn_leave_a_doubt():
    history = [NewNote(title="A", note=text) for text in "CDE"]
    with pytest.raises(CannotTellError, match="not the first ones"):
        imported_elements(attrs.evolve(CASE, history=history, type="import"), 0, 3, shown(history[1:]))


def test_nothing_is_left_of_a_history_that_is_in():
    assert list(chunks(attrs.evolve(CASE, history=NOTES), len(NOTES))) == []


CASE = new_case(Sandbox(1))
