import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._checks import one_of, positive
from fusedesk_async._config import base_url_of_app, checked_base_url, read_environment
from fusedesk_async.errors import ConfigurationError


@pytest.mark.parametrize(
    "app",
    [
        "acme",
        " ACME\n",
        "acme.fusedesk.com",
        "https://acme.fusedesk.com",
        "http://acme.fusedesk.com/",
        "HTTPS://Acme.FuseDesk.com/app/#cases/view/AB12",
        "//acme.fusedesk.com",
        "https://acme.fusedesk.com:8443/app?next=https://evil.example/",
        "https://acme.fusedesk.com/app//other.fusedesk.com",
        "https://acme.fusedesk.com?u=//evil.fusedesk.com",
        "https://acme.infusionsoft.com/core/app",
        "acme.infusionsoft.app",
        "acme.fusedesk",
    ],
)
def test_names_and_pasted_addresses_lead_to_the_app(app: str) -> None:
    assert base_url_of_app(app) == "https://acme.fusedesk.com"


LOOK_ALIKES = [f"{chr(code)}acme" for code in (0x212A, 0x430, 0xFF41, 0x131, 0x17F)]


@pytest.mark.parametrize(
    "app",
    [
        *LOOK_ALIKES,
        "",
        " ",
        ".",
        "..",
        "a.b",
        "evil.com/",
        "evil.com",
        "https://evil.com/acme.fusedesk.com",
        "x@y",
        "acme/",
        "a b",
        "a\nb",
        "https://user:pw@acme.fusedesk.com",
        "evil.com@acme.fusedesk.com",
        "-acme",
        "acme-",
        "a_b",
        "a" * 64,
        "acme:443",
        "../acme",
        "acme\\",
        "acme%2e",
        "acme。fusedesk.com",
        ".fusedesk.com",
        "ftp://acme.fusedesk.com",
        "a.acme.fusedesk.com",
        "acme.fusedeskevil.com",
        "acme\x00",
        None,
        7,
    ],
)
def test_everything_else_is_refused(app: str) -> None:
    with pytest.raises(ConfigurationError, match="not the name of a FuseDesk app"):
        base_url_of_app(app)


def test_a_label_may_have_63_characters() -> None:
    assert base_url_of_app("a" * 63) == f"https://{'a' * 63}.fusedesk.com"


def test_a_refusal_repeats_neither_a_query_nor_a_novel() -> None:
    with pytest.raises(ConfigurationError) as caught:
        base_url_of_app("https://evil.example/?apikey=cAnArY")
    assert "cAnArY" not in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        base_url_of_app("x!" * 999)
    assert len(str(caught.value)) < 200


pieces = st.sampled_from(
    ["https://", "//", "acme", "evil.com", ".fusedesk", ".com", "@", ":", "/", "?", "#", "..", "\\", "\n"]
)


@given(st.one_of(st.text(), st.lists(pieces | st.text(max_size=3), max_size=8).map("".join)))
def test_any_text_gives_one_label_or_a_refusal(app: str) -> None:
    try:
        url = base_url_of_app(app)
    except ConfigurationError:
        return
    assert re.fullmatch(r"https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.fusedesk\.com", url, re.ASCII)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://desk.example", "https://desk.example"),
        ("https://desk.example:8443/prefix/", "https://desk.example:8443/prefix"),
        ("http://127.0.0.1:8080//", "http://127.0.0.1:8080"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_good_base_addresses(url: str, base: str) -> None:
    assert checked_base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "desk.example",
        "ftp://desk.example",
        "https://",
        "https:///x",
        "https://u@h",
        "https://:pw@h",
        "https://@h",
        "https://h?",
        "https://h?x=1",
        "https://h#",
        "https://h#x",
        "https://h:99999",
        "https://h:x",
        "https://[::1",
        "https://h\n",
        "https://h h",
        "https://good\\@evil",
        "https://h/a b",
        "https://h..x",
        "https://h/%2e",
        None,
        7,
    ],
)
def test_bad_base_addresses(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url must look like"):
        checked_base_url(url)


@pytest.mark.parametrize(
    "url", ["http://desk.example", "HTTP://desk.example/", "http://127.0.0.1.evil.example", "http://10.0.0.1"]
)
def test_the_key_does_not_go_unencrypted_to_another_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        checked_base_url(url)


@pytest.mark.parametrize("good", [1, 0.001, 10**9])
def test_positive_numbers_pass(good: float) -> None:
    assert positive(good, "timeout") == good


@pytest.mark.parametrize("bad", [0, -1, float("nan"), "5", None, True])
def test_other_numbers_do_not(bad: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout is a number above 0"):
        positive(bad, "timeout")


def test_a_value_of_a_literal_is_one_of_them() -> None:
    assert one_of("a", Literal["a", "b"], "mode") == "a"
    for bad in ("c", None, ["a"]):
        with pytest.raises(ConfigurationError, match="mode is one of 'a', 'b', not"):
            one_of(bad, Literal["a", "b"], "mode")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("APP", "API_KEY", "BASE_URL"):
        monkeypatch.delenv(f"FUSEDESK_{name}", raising=False)
    return monkeypatch


def test_the_environment_names_app_key_and_address(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FUSEDESK_APP", "acme")
    environment.setenv("FUSEDESK_API_KEY", "cAnArY")
    found = read_environment()
    assert (found.app, found.api_key.reveal(), found.base_url) == ("acme", "cAnArY", None)
    assert "cAnArY" not in repr(found)


def test_an_address_stands_for_the_app(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FUSEDESK_BASE_URL", "http://localhost:1")
    environment.setenv("FUSEDESK_API_KEY", "k")
    assert read_environment().base_url == "http://localhost:1"
    base_url_of_app(read_environment().app)


def test_what_is_missing_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FUSEDESK_API_KEY", "cAnArY")
    with pytest.raises(ConfigurationError, match="FUSEDESK_APP"):
        read_environment()
    environment.setenv("FUSEDESK_APP", "acme")
    environment.setenv("FUSEDESK_API_KEY", "")
    with pytest.raises(ConfigurationError, match="FUSEDESK_API_KEY"):
        read_environment()
