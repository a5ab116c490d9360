"""Which server a sandbox is: the value that says so, and how it is read from a report."""

from typing import Any

import pytest

from fusedesk_async.sandbox import SandboxProfile


def report(**values: Any) -> dict[str, Any]:
    findings = {name: {"verdict": "differs", "value": value, "evidence": "seen"} for name, value in values.items()}
    return {"version": 1, "library": "1.0", "profile": {}, "findings": findings}


def test_a_report_says_which_server_it_was() -> None:
    told = report(
        orders=["caseid asc"],
        largest_limit=100,
        extra_members={"colour": "text"},
        latency=1,
        scopes=[],
        no_matches="404",
    )
    told["findings"] |= {
        "zone": {"verdict": "cannot tell", "value": "+02:00", "evidence": "no date was seen"},
        "limit_zero": {"verdict": "known", "value": None, "evidence": ""},
        "compression": "gzip",
        "colour of the sky": {"verdict": "known", "value": "blue", "evidence": ""},
    }
    assert SandboxProfile.from_report(told) == SandboxProfile(
        orders=("caseid asc",),
        largest_limit=100,
        extra_members={"colour": "text"},
        latency=1,
        scopes=(),
        no_matches="404",
    )


@pytest.mark.parametrize("other", [{}, {"version": 2, "findings": {}}, {"version": 1, "findings": []}])
def test_what_is_no_report_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no report of fusedesk doctor"):
        SandboxProfile.from_report(other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orders", "caseid"),
        ("orders", 5),
        ("case_id_names", []),
        ("largest_limit", True),
        ("largest_limit", 0),
        ("zone", "Europe/Berlin"),
        ("scopes", "cases"),
        ("no_matches", "nothing"),
        ("extra_members", ["colour"]),
        ("extra_members", {"colour": "blue"}),
        ("limit_header", "two words"),
        ("latency", "0.1"),
        ("latency", -1),
        ("numbers_as_text", "yes"),
    ],
)
def test_a_value_that_a_finding_cannot_have_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} cannot be "):
        SandboxProfile.from_report(report(**{name: value}))
