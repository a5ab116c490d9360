"""Routes: paths without ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusedesk_async.sandbox  # noqa: F401 - fills the table
from fusedesk_async.otel._attributes import route_of
from fusedesk_async.sandbox._endpoints._registry import ENDPOINTS


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("v1/cases", "v1/cases"),
        ("v1/cases/", "v1/cases"),
        ("v1/cases/42", "v1/cases/{id}"),
        ("v1/cases/42/tag/7", "v1/cases/{id}/tag/{id}"),
        ("v1/cases/42/feedback/dontask", "v1/cases/{id}/feedback/dontask"),
        ("v2/contacts/jo@example.com", "v2/contacts/{id}"),
        ("v2/departments/all", "v2/departments/all"),
        ("v1/emails/unassigned", "v1/emails/unassigned"),
        ("v1/session/permissions", "v1/session/permissions"),
        ("", "{id}"),
        ("/".join(["v1"] * 8), "v1/v1/v1/v1/v1/v1/v1/…"),
    ],
)
def test_a_route_has_no_ids(path, route):
    assert route_of(path) == route


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
def test_every_path_of_the_sandbox_is_a_route_of_its_own(endpoint):
    template = re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "{id}", endpoint.path.pattern.removesuffix("/?"))
    assert f"/api/{route_of(template.removeprefix('/api/'))}" == template


@given(st.text(min_size=1))
def test_nothing_but_words_of_the_api_gets_through(text):
    known = {"v1", "cases", "tag", "{id}", "…"}
    parts = route_of(f"v1/cases/{text}x/tag/7").split("/")
    assert all(part in known or re.fullmatch("[a-z]+|v2", part) for part in parts)
    assert len(parts) <= 8
