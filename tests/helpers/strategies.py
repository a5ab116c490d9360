"""hypothesis strategies for what a PHP server may send."""

import json
from typing import Any

from hypothesis import strategies as st

FIELDS = {
    "numbers": ["caseid", "id", "contactid", "companyid", "repid", "departmentid"],
    "texts": ["casenum", "casenumber", "contactUuid", "summary", "details", "openedby", "status"],
    "dates": [
        "date_opened",
        "date_assigned",
        "date_firstresponse",
        "date_lastresponse",
        "date_updated",
        "date_closed",
        "date_rated",
        "date_requestedfeedback",
    ],
    "others": ["rating", "feedback", "tags", "isArchived", "unknown", "history"],
}

surrogates = st.sampled_from(["\ud800", "a\udfffb", "\udc00\ud800"])
texts = st.one_of(st.text(max_size=12), st.sampled_from(["", "a\tb\r\n", "=1+1", "<b>", "\x00", "é😀"]), surrogates)
numbers = st.one_of(
    st.integers(1, 10**6),
    st.sampled_from([0, -1, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**300]),
    st.integers(1, 10**6).map(str),
    st.sampled_from(["-7", " 7 ", "+7", "--7", "7.0", "1e3", "0x10", "\u0663", "9" * 400, "9" * 5000, "-", ""]),
    st.sampled_from([7.0, -0.0, 7.5, 2.0**53, 2.0**53 + 2, 1e300, 1e15, 123.0]),
)
zones = st.sampled_from(["", "Z", "z", "+00:00", "-00:00", "+05:30", "-0600", "+02", "+23:59", "+24:00", "+00:00:30"])
clock_times = st.sampled_from(
    [
        "10:11:12",
        "23:59:59",
        "23:59:60",
        "24:00:00",
        "10:11",
        "10",
        "10:11:12.5",
        "10:11:12.123456",
        "10:11:12.1234567",
        "10:11:12,5",
        "101112",
        "10:11:12.",
        "1:2:3",
    ]
)
days = st.one_of(
    st.dates().map(str),
    st.sampled_from(["2024-02-30", "0001-01-01", "9999-12-31", "10000-01-01", "2024-W10-5", "20240310", "2024-3-1"]),
)
dates = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.builds(
        lambda day, mark, time, zone: f"{day}{mark}{time}{zone}", days, st.sampled_from("T t"), clock_times, zones
    ),
    days,
    st.sampled_from(["0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00+00:00", "-0001-11-30T00:00:00-06:00"]),
    st.sampled_from(["soon", " 2024-03-01", "1709251200", "2024-03-01T10:11:12 +00:00"]),
)
nothing = st.sampled_from([None, False, ""])
odd = st.one_of(nothing, st.sampled_from([True]), texts, numbers, st.just([]), st.just({}), st.just([[{"a": [1]}]]))
tag_lists = st.one_of(
    st.lists(st.one_of(numbers, nothing, st.builds(dict, id=numbers), st.just({"tagname": "vip"})), max_size=4), odd
)
flags = st.one_of(st.booleans(), st.sampled_from([0, 1, 2, 1.0, "0", "1", "true", "False", "yes", "on"]), odd)
json_values: st.SearchStrategy[Any] = st.recursive(
    odd | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _mostly(good: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, rare)


_values_of = {
    **dict.fromkeys(FIELDS["numbers"], _mostly(st.integers(1, 999), numbers | odd)),
    **dict.fromkeys(FIELDS["texts"], _mostly(st.text(max_size=5), texts | odd)),
    **dict.fromkeys(FIELDS["dates"], _mostly(st.datetimes().map(str) | nothing, dates | odd)),
    "rating": odd | json_values,
    "feedback": odd,
    "tags": _mostly(st.lists(st.integers(1, 99), max_size=3), tag_lists),
    "isArchived": flags,
    "unknown": json_values,
    "history": json_values,
}


@st.composite
def case_texts(draw: st.DrawFn) -> str:
    """The JSON text of one case: members missing, odd, unknown, named twice, in any order; rarely no object at all."""
    if draw(st.integers(0, 30)) == 0:
        return json.dumps(draw(json_values))
    names = draw(st.lists(st.sampled_from(list(_values_of)), max_size=8))
    usual = [] if draw(st.integers(0, 9)) == 0 else [("caseid", draw(st.integers(1, 10**6))), ("casenum", "AB12")]
    pairs = [*usual, *((name, draw(_values_of[name])) for name in names)]
    pairs = draw(st.permutations(pairs))
    blank = draw(st.sampled_from(["", " ", "\n\t"]))
    plain = draw(st.booleans())
    members = [f"{json.dumps(name)}{blank}:{blank}{_text(value, plain=plain)}" for name, value in pairs]
    return "{" + f"{blank},".join(members) + blank + "}"


def _text(value: Any, *, plain: bool) -> str:
    text = json.dumps(value, ensure_ascii=not plain)
    return (
        text
        if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
        else json.dumps(value)
    )


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """The JSON text of a list of cases."""
    blank = draw(st.sampled_from(["", " ", "\n"]))
    return f"{blank}[{blank}{f',{blank}'.join(draw(st.lists(case_texts(), max_size=6)))}{blank}]{blank}".encode()


_ways_to_send: dict[str, list[st.SearchStrategy[Any]]] = {
    "numbers": [st.integers(0, 999), st.integers(0, 999).map(str), st.integers(0, 9).map("{:03}".format), numbers],
    "texts": [st.text(max_size=5), st.integers(0, 99), st.floats(0, 9), texts],
    "dates": [
        st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat() + "Z"),
        st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
        st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds") + "-05:00"),
        st.dates().map(str),
        dates,
    ],
    "tags": [
        st.lists(st.integers(1, 99), max_size=3),
        st.lists(st.integers(1, 99).map(str), max_size=3),
        st.lists(st.builds(dict, id=st.integers(1, 99)), max_size=3),
        tag_lists,
    ],
    "flags": [st.booleans(), st.integers(0, 1), st.sampled_from("01"), st.sampled_from(["true", "false"]), flags],
    "others": [odd, json_values],
}
_nothings: list[Any] = [None, False, "", [], {}, 0, "0000-00-00 00:00:00", "0000-00-00"]
_kinds = {name: kind for kind in ("numbers", "texts", "dates") for name in FIELDS[kind]}
_kinds |= {"tags": "tags", "isArchived": "flags", "rating": "others", "feedback": "others", "unknown": "others"}


@st.composite
def alike_pages(draw: st.DrawFn, longest: int = 9) -> list[str]:
    """The JSON texts of cases that one server sends: the same names, and each field in one of the ways to send it.

    A few of them may be what any server sends.
    """
    missing = draw(st.sets(st.sampled_from([*FIELDS["numbers"], *FIELDS["texts"]]), max_size=6))
    usual = draw(st.booleans())
    values = {
        name: draw(st.just(ways[0]) if usual else st.sampled_from(ways))
        for name, kind in _kinds.items()
        if name not in missing and (ways := _ways_to_send[kind])
    }
    absent = st.sampled_from(draw(st.lists(st.sampled_from(_nothings), min_size=1, max_size=3)))
    often = draw(st.sampled_from([0, 1, 5]))
    cases: list[str] = []
    for _ in range(draw(st.integers(1, longest))):
        random = draw(st.randoms(use_true_random=False))
        case = {name: draw(absent if random.random() * 10 < often else each) for name, each in values.items()}
        cases.append(draw(case_texts()) if random.random() < 0.05 else json.dumps(case))
    return cases
