"""Reps in both versions (6.6); the lists hold disabled reps too."""

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._refusals import not_found
from fusedesk_async.sandbox._render import render_rep_v1, render_rep_v2
from fusedesk_async.sandbox._state import State

from ._registry import endpoint


@endpoint("GET", "v1/reps", "reps", "reps")
def reps_v1(state: State, _: Call) -> object:
    """All reps, old shape (WP24)."""
    return [render_rep_v1(rep) for rep in state.reps.values()]


@endpoint("GET", "v2/reps", "reps", "reps")
def reps_v2(state: State, _: Call) -> object:
    """All reps (WP54, MC)."""
    return [render_rep_v2(rep) for rep in state.reps.values()]


@endpoint("GET", "v2/reps/{user}", "reps", "reps")
def rep(state: State, call: Call) -> object:
    """One rep by user id (MC)."""
    found = state.reps.get(call.id("user"))
    if found is None:
        what = "Rep"
        raise not_found(what)
    return render_rep_v2(found)
