import copy
import html
import json
import pickle
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fusedesk_async._http.redaction import causes, scrub
from fusedesk_async._wire import api_key
from fusedesk_async._wire.api_key import ApiKey
from fusedesk_async.errors import ConfigurationError, FuseDeskError

KEY = "cAnArY/+K3y=&\"'<\\~x%41"
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "quote": lambda key: quote(key, safe=""),
    "quote of a path": quote,
    "quote twice": lambda key: quote(quote(key, safe=""), safe=""),
    "quote, lower case": lambda key: "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in key),
    "form": quote_plus,
    "html": html.escape,
    "html of PHP": lambda key: html.escape(key).replace("&#x27;", "&#039;"),
    "html, all of it": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "json": lambda key: json.dumps(key)[1:-1],
    "json of PHP": lambda key: json.dumps(key)[1:-1].replace("/", r"\/"),
    "json, all of it": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "repr": lambda key: repr(key)[1:-1],
    "html of json": lambda key: html.escape(json.dumps(key)[1:-1]),
}


def test_a_key_shows_itself_nowhere() -> None:
    key = ApiKey(KEY)
    assert [f"{key}", f"{key!r}", str(key), f"{[key]}"] == ["***", "ApiKey(***)", "***", "[ApiKey(***)]"]
    assert not hasattr(key, "__dict__")
    assert key.reveal() == KEY
    for through in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not pickled or copied") as caught:
            through(key)
        assert KEY not in str(caught.value)


def with_locals(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    key = ApiKey(KEY)
    with pytest.raises(TypeError) as caught:
        pickle.dumps([key])
    shown = with_locals(caught.value)
    assert "ApiKey(***)" in shown
    assert "cAnArY" not in shown


def test_white_space_around_a_key_is_dropped() -> None:
    assert ApiKey(f" \t{KEY} ").reveal() == KEY


def frames_inside(text: object) -> str:
    """What a traceback shows of the library's own frames when the key is refused."""
    with pytest.raises(ConfigurationError) as caught:
        ApiKey(text)  # type: ignore[arg-type] # callers without types are told, too
    inner = [frame for frame in traceback.walk_tb(caught.tb) if frame[0].f_code.co_filename == api_key.__file__]
    assert inner
    return f"{caught.value}" + "".join(repr(frame.f_locals) for frame, _ in inner)


@pytest.mark.parametrize(
    "bad", ["", "   ", None, 7, b"cAnArY", f"{KEY}\n", f"cAnArY {KEY}", "cAnArY\x00", "cAnArYé", "cAnArY\x7f"]
)
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_repeating_it(bad: object) -> None:
    assert "cAnArY" not in frames_inside(bad)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(key=keys, before=st.text(max_size=9), after=st.text(max_size=9))
def test_redact_removes_every_spelling(spelling: str, key: str, before: str, after: str) -> None:
    spelled = SPELLINGS[spelling](key)
    redacted = ApiKey(key).redact(before + spelled + after)
    assert "***" in redacted
    if "*" not in key:
        assert spelled not in redacted


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(key=keys, keep=st.integers(0, 300), quote_mark=st.sampled_from(["", "'", '"']))
@example(key="000'000\"", keep=0, quote_mark="")
def test_redact_removes_a_key_whose_end_was_cut_off(spelling: str, key: str, keep: int, quote_mark: str) -> None:
    spelled = SPELLINGS[spelling](key)
    # repr escapes a quote only where the whole key has both kinds, so the beginning alone may be spelled shorter
    shortest = max(len(SPELLINGS[spelling](key[:4])), len(spelled) - len(SPELLINGS[spelling](key[4:])))
    cut = spelled[: max(shortest, min(keep, len(spelled)))]
    assert "***" in ApiKey(key).redact(f"got {cut}{quote_mark}")


def test_redact_leaves_other_text_alone() -> None:
    text = "GET v1/cases?status=open [*]"
    assert ApiKey(KEY).redact(text) == text
    assert ApiKey("ab").redact("a b, abc") == "a b, ***c"


def raised(error: BaseException, cause: BaseException | None) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_causes_are_followed_to_the_end_and_never_in_a_circle() -> None:
    first, second = ValueError("1"), KeyError("2")
    assert causes(raised(second, first)) == [second, first]
    assert causes(raised(KeyError("alone"), None))[1:] == []
    first.__cause__ = second
    assert causes(second) == [second, first]
    assert causes(None) == []


def test_an_error_and_its_causes_are_scrubbed() -> None:
    replaced = KeyError(f"replaced {KEY}")
    cause = OSError(7, f"no {KEY} here")
    cause.__context__, cause.__suppress_context__ = replaced, True
    error = raised(FuseDeskError("lost"), cause)
    scrub(error, ApiKey(KEY).redact)
    assert [error.__traceback__, cause.__traceback__, cause.__context__] == [None] * 3
    assert cause.args == (7, "no *** here")
    assert error.args == ("lost", None)


def test_what_an_error_was_raised_during_is_scrubbed_too() -> None:
    error, during = KeyError("late"), ValueError(f"first {KEY}")
    error.__context__ = during
    scrub(error, ApiKey(KEY).redact)
    assert error.__context__ is during
    assert during.args == ("first ***",)
