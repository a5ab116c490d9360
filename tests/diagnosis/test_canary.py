"""A canary in every field of every record, header and error, and in app and key: none gets into what is told."""

import json
import logging

import pytest
from canary_server import APP, BODIES, CANARIES, KEY, CanaryServer

from fusedesk_async import FuseDesk
from fusedesk_async.diagnosis import diagnose
from fusedesk_async.diagnosis._shapes import safe_name

pytestmark = pytest.mark.anyio


def spoken_in(text):
    return [canary for canary in CANARIES if canary in text.lower()]


@pytest.mark.parametrize("write_in", [None, 5])
@pytest.mark.parametrize("kind", BODIES)
async def test_nothing_of_a_customer_is_told(kind, write_in, clock, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    async with FuseDesk(APP, api_key=KEY, transport=CanaryServer(kind), clock=clock) as desk:
        diagnosis = await diagnose(desk, write_in=write_in, on_finding=seen.append)
    told = json.dumps(diagnosis.to_report(), ensure_ascii=False) + repr(diagnosis.findings) + repr(seen)
    assert spoken_in(told) == []
    assert spoken_in(caplog.text) == []
    assert diagnosis.calls


async def test_the_canary_server_has_what_there_is_to_see(clock):
    """Otherwise the test above could pass because nothing was looked at."""
    async with FuseDesk(APP, api_key=KEY, transport=CanaryServer("records"), clock=clock) as desk:
        report = (await diagnose(desk)).to_report()
    findings = report["findings"]
    assert findings["case_members"]["value"]["summary"] == {"text": 20}
    assert findings["zone"]["value"] == "+05:45"
    assert findings["history_names"]["verdict"] == "differs", "lists by names that are no names"
    assert findings["extra_members"]["value"]["colour"] == "text"
    assert any(name.startswith("<") for name in findings["extra_members"]["value"])
    assert findings["departments"]["verdict"] == "differs"


@pytest.mark.parametrize("name", ["summary", "phone1", "emailAddress2", "date_opened", "custom_colour", "_x"])
def test_a_name_that_looks_like_one_is_told(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("", "<0 characters: >"),
        ("jo@canary.example", "<17 characters: letters, others>"),
        ("order 66", "<8 characters: digits, letters, others>"),
        ("x" * 41, "<41 characters: letters>"),
        ("größe", "<5 characters: letters>"),
        ("4711", "<4 characters: digits>"),
    ],
)
def test_of_any_other_name_only_its_shape_is_told(name, shape):
    assert safe_name(name) == shape
