import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._wire.call import post
from fusedesk_async._wire.chunking import DEFAULT_FORM_SIZE, FORM_OVERHEAD, history_forms
from fusedesk_async._wire.converter import unstructure
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import acknowledgement
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models import NewEmail, NewHistoryItem, NewNote

NOTE = NewNote(title="t", note="n")
filled = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80).filter(str.strip)
items = st.lists(
    st.one_of(
        st.builds(NewNote, title=filled, note=filled),
        st.builds(NewEmail, to=filled, sender=filled, subject=filled, body=filled),
    ),
    min_size=1,
    max_size=12,
)


def bytes_of(form: dict[str, Any]) -> int:
    return len(encode(post("v1/cases/1/history", acknowledgement, form)).form or b"")


@given(items, st.integers(FORM_OVERHEAD, 6000), st.booleans())
def test_forms_stay_below_the_size_and_lose_nothing(history: list[NewHistoryItem], size: int, skip: bool) -> None:  # noqa: FBT001 - hypothesis names them
    try:
        parts = list(history_forms(history, skip_infusionsoft=skip, size=size))
    except ConfigurationError:
        largest = max(
            bytes_of({"history": json.dumps(unstructure(item), ensure_ascii=False, separators=(",", ":"))})
            for item in history
        )
        assert largest + FORM_OVERHEAD > size
        return
    assert all(bytes_of(form) <= size for form, _ in parts)
    sent = [element for form, _ in parts for element in json.loads(form["history"])]
    assert sent == [unstructure(item) for item in history]
    assert [len(json.loads(form["history"])) for form, _ in parts] == [count for _, count in parts]
    assert all(form["skipinfusionsoft"] is skip for form, _ in parts)


def test_a_short_history_goes_in_one_form() -> None:
    ((form, count),) = history_forms([NOTE, NOTE], skip_infusionsoft=False, size=DEFAULT_FORM_SIZE)
    assert count == 2
    assert form["history"] == '[{"title":"t","note":"n","type":"note"},{"title":"t","note":"n","type":"note"}]'


def test_forms_are_as_full_as_they_can_be() -> None:
    alone = bytes_of({"history": json.dumps(unstructure(NOTE), separators=(",", ":"))}) - len("history=") + len("%2C")
    counts = [count for _, count in history_forms([NOTE] * 7, skip_infusionsoft=True, size=FORM_OVERHEAD + 3 * alone)]
    assert counts == [3, 3, 1]


def test_one_element_too_large_is_refused_before_anything_is_given() -> None:
    history = [NOTE, NewNote(title="t", note="\u00e9" * 1000), NOTE]
    with pytest.raises(ConfigurationError, match=r"element 1 of the history needs 6\d\d\d bytes; form_size is 2000"):
        history_forms(history, skip_infusionsoft=False, size=2000)


def test_what_cannot_be_sent_is_refused_before_anything_is_given() -> None:
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        history_forms([NOTE, NewNote(title="t", note="\ud800")], skip_infusionsoft=False, size=2000)
    with pytest.raises(ConfigurationError, match="no history"):
        history_forms([], skip_infusionsoft=False, size=2000)
