import copy
import inspect
import pickle
from datetime import UTC, datetime

import pytest

from fusedesk_async import errors
from fusedesk_async.errors import FuseDeskError, Request, warn

REQUEST = Request("POST", "v1/cases/42", 3)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TREE = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, FuseDeskError)]
REST: dict[type[FuseDeskError], tuple[object, ...]] = {
    errors.PermissionDeniedError: (403, "api_error_noscope", None, None, "cases", ("cases", "reps")),
    errors.APIError: (405, "api_error_noscope", 30.0, NOON),
    errors.NameLookupError: ("rep", "Jo", ("Joe", "Joan")),
    errors.NotSentError: (True,),
    errors.AnswerLostError: (True,),
    errors.OutcomeUnknownError: ({"depid": "3", "summary": "Hi"}, NOON, NOON),
    errors.CannotTellError: ((7, 8),),
    errors.ExportError: ("locked",),
    errors.UnexpectedResponseError: ("$[3].caseid", "x7", "<html>"),
}


def made(kind: type[FuseDeskError]) -> FuseDeskError:
    """An error with every attribute set."""
    rest = next((rest for base, rest in REST.items() if issubclass(kind, base)), ())
    error = kind("No\nsuch\tcase", REQUEST, *rest)
    error.completed = 7
    error.add_note("from the test")
    return error


def test_the_tree_is_the_one_drawn_at_the_top_of_the_module() -> None:
    drawn = [line.strip("│├└ ").split()[0] for line in (errors.__doc__ or "").splitlines() if "Error " in f"{line} "]
    names = {kind.__name__ for kind in TREE}
    assert names == set(drawn[: len(names)])
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.RateLimitError, errors.APIError)
    assert issubclass(errors.OutcomeUnknownError, errors.TransportError)


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("through", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_pickle_and_copy_with_all_they_hold(kind: type[FuseDeskError], through: object) -> None:
    assert callable(through)
    error = made(kind)
    twin = through(error)
    assert type(twin) is kind
    assert twin.args == error.args
    assert vars(twin) == vars(error)
    assert twin.completed == 7
    assert twin.__notes__ == ["from the test"]
    assert str(twin) == str(error)


@pytest.mark.parametrize("kind", TREE)
def test_the_text_of_an_error_is_one_line_that_says_what_was_asked_and_what_to_do(kind: type[FuseDeskError]) -> None:
    text = str(made(kind))
    assert text.isprintable()
    assert text.startswith("No such case")
    assert "[POST v1/cases/42, tried 3 times]" in text
    assert "7 were already processed" in text
    assert text.endswith(kind.advice)


def test_texts_name_what_each_error_knows() -> None:
    assert str(made(errors.RequestRejectedError)) == (
        "No such case (405, api_error_noscope) [POST v1/cases/42, tried 3 times]; 7 were already processed. "
        "The same request will be refused again: change what the message names"
    )
    unexpected = str(made(errors.UnexpectedResponseError))
    assert unexpected.startswith("No such case at $[3].caseid of record x7; it begins '<html>' [POST")
    assert str(errors.UnexpectedResponseError("odd")).startswith("odd. Check that")
    unknown = str(made(errors.OutcomeUnknownError))
    assert unknown.startswith("No such case (asked for depid=3, summary) [POST")
    assert str(made(errors.CannotTellError)).startswith("No such case (case ids 7, 8) [POST")
    assert str(errors.CannotTellError("odd")).startswith("odd. Look")
    assert str(errors.APIError("no")) == "no"
    assert str(errors.ConfigurationError("no app")) == "no app"


def test_terminal_codes_in_a_server_text_do_not_reach_the_terminal() -> None:
    assert str(FuseDeskError("a\x1b[31mb\u2028c\ud800d")) == "a [31mb c d"


@pytest.mark.parametrize(("attempts", "text"), [(0, "not sent"), (1, "tried once"), (2, "tried 2 times")])
def test_a_request_says_how_often_it_was_tried(attempts: int, text: str) -> None:
    assert str(Request("GET", "v1/cases", attempts)) == f"GET v1/cases, {text}"


def test_warnings_are_of_their_own_class() -> None:
    with pytest.warns(errors.FuseDeskWarning, match="odd"):
        warn("odd")
