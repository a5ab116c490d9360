"""CSV for those who read it: spreadsheets, pandas, Python."""

import csv
import gzip
from io import BytesIO, StringIO

import pandas as pd
import pytest
from clients import client
from exports import Killed, case
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import ExportError
from fusedesk_async.export import export_cases
from fusedesk_async.export._csv import BYTE_ORDER_MARK, Csv
from fusedesk_async.export._row import Row
from fusedesk_async.sandbox import Sandbox, SandboxProfile

TEXT = st.characters(exclude_characters="\0", exclude_categories=["Cs"])

SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
INVISIBLE = ["", " ", "\xa0", "\u2028", "\x0b", "\x1f", "\u200b", "\ufeff", "\u2060 \t"]


@pytest.mark.parametrize("start", [*(each + sign for sign in SIGNS for each in INVISIBLE), "\t", "\r", "\n", "\n\n"])
def test_formulas_are_guarded_on_request_only(start):
    row = Row(case=case({"caseid": 1, "summary": f"{start}1", "rating": f"{start}2"}))
    for guard, mark in [(True, "'"), (False, "")]:
        table = Csv(history=False, guard_formulas=guard)
        (found,) = csv.DictReader(StringIO((table.header + table.encode([row])).decode(), newline=""))
        assert (found["summary"], found["rating"]) == (f"{mark}{start}1", f"{mark}{start}2")
        assert found["details"] == ""


@pytest.mark.parametrize("text", ["plain", " 5", "a=1", "1-1", "'=1", "\u00fc=1", "00123", "(=1)"])
def test_what_is_no_formula_is_left_alone(text):
    table = Csv(history=False, guard_formulas=True)
    content = table.header + table.encode([Row(case=case({"caseid": 1, "summary": text}))])
    (found,) = csv.DictReader(StringIO(content.decode()))
    assert found["summary"] == text


MISSING_LOOKALIKES = [
    "NA",
    "NULL",
    "nan",
    "None",
    "n/a",
    "<NA>",
    "#N/A",
    "null",
    "-inf",
    "true",
    "00123",
    "1e5",
    " x ",
    '"',
]


@settings(max_examples=40)
@given(
    texts=st.lists(
        st.one_of(st.sampled_from(MISSING_LOOKALIKES), st.text(TEXT, min_size=1, max_size=8)), min_size=1, max_size=6
    ),
    bom=st.booleans(),
)
def test_csv_reads_back_with_pandas_as_documented(texts, bom):
    table = Csv(history=False, guard_formulas=False, bom=bom)
    rows = [Row(case=case({"caseid": number, "summary": text})) for number, text in enumerate(texts)]
    content = table.header + table.encode(rows)
    assert content.startswith(BYTE_ORDER_MARK) == bom
    read = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False)
    assert read.columns[0] == "id"
    assert list(read["summary"]) == texts
    assert set(read["details"]) == {""}
    with_missing = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False, na_values=[""])
    assert list(with_missing["summary"]) == texts
    assert with_missing["details"].isna().all()


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
async def test_a_byte_order_mark_stands_once_at_the_beginning_whatever_is_resumed(name, clock, tmp_path, anyio_backend):
    sandbox, out = Sandbox(30, profile=SandboxProfile(largest_limit=7, over_limit="cut"), clock=clock), tmp_path / name

    def dies(progress):
        if progress.cases > 10:
            raise Killed

    async with client(sandbox, clock) as desk:
        with pytest.raises(Killed):
            await export_cases(desk, out, bom=True, on_progress=dies)
        with pytest.raises(ExportError, match="layout"):
            await export_cases(desk, out)
        await export_cases(desk, out, bom=True)
    content = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    assert (content.index(BYTE_ORDER_MARK), content.count(BYTE_ORDER_MARK)) == (0, 1)
    assert len([*csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""))]) == 30
