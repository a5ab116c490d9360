"""Case tags (6.6)."""

from collections import Counter

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._directory import Tag
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import render_tag
from fusedesk_async.sandbox._state import State

from ._registry import endpoint


@endpoint("GET", "v1/casetags", "casetags", "cases")
def case_tags(state: State, _: Call) -> object:
    """All tags that are not archived (WP54, MC)."""
    column = state.cases.column("tags")
    totals = Counter(tag for case in state.cases.ids() for tag in column(case))
    return [render_tag(tag, totals[tag.id]) for tag in state.tags.values() if not tag.archived]


@endpoint("POST", "v1/casetags", "casetags", "casetags")
def create_case_tag(state: State, call: Call) -> object:
    """A new tag; answers it. A name that exists is refused (both assumed)."""
    name = call.required("tagname")
    if any(tag.name == name and not tag.archived for tag in state.tags.values()):
        message = f"Case tag exists: {name}"
        raise refuse(message)
    tag = Tag(max(state.tags) + 2, name)
    state.tags[tag.id] = tag
    return render_tag(tag, 0)


@endpoint("DELETE", "v1/casetags/{tag}", "casetags", "casetags")
def delete_case_tag(state: State, call: Call) -> object:
    """Archive a tag (MC): it leaves the list, cases keep it (assumed)."""
    tag = state.tags.get(call.id("tag"))
    if tag is None or tag.archived:
        what = "Case tag"
        raise not_found(what)
    tag.archived = True
    return True
