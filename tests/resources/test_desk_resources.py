"""Departments, reps and case tags: what is refused before it is sent, and answers of other shapes."""

import pytest

from fusedesk_async import ConfigurationError, Created, NotFoundError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda desk: desk.case_tags.create(" "), "name must be a text"),
        (lambda desk: desk.case_tags.delete("refund"), "a tag id is a whole number"),
        (lambda desk: desk.departments.create(None), "name must be a text"),
        (lambda desk: desk.departments.get("Billing"), "a department id is a whole number"),
        (lambda desk: desk.departments.update(268), "nothing to change: give at least one of all_reps, rep_user_ids"),
        (lambda desk: desk.departments.update(268, rep_user_ids=[]), "rep_user_ids is empty"),
        (lambda desk: desk.departments.update(268, rep_user_ids=["Jo"]), "a rep's user id is a whole number"),
        (lambda desk: desk.reps.get(True), "a user id is a whole number"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_it_is_sent(desk, sandbox, act, reason):
    with pytest.raises(ConfigurationError, match=reason):
        await act(desk)
    assert not sandbox.received


@pytest.mark.parametrize("answer", [True, 7, "made", None, [], {}, {"id": None}, {"id": True}, {"id": [7]}])
async def test_a_new_thing_may_be_answered_in_any_shape(desk, sandbox, answer):
    sandbox.fault("casetags", body=answer if answer is not None else b"null")
    assert await desk.case_tags.create("printer") == Created(raw=answer)


async def test_the_id_of_a_new_thing_may_be_text(desk, sandbox):
    sandbox.fault("casetags", body={"id": "7", "more": 1})
    assert await desk.case_tags.create("printer") == Created(id=7, raw={"id": "7", "more": 1})


async def test_a_rep_is_found_by_the_id_that_cases_want_and_by_no_other(desk):
    (rep, *_) = await desk.reps.all()
    assert await desk.reps.get(rep.user_id) == rep
    assert (await desk.cases.get(1)).rep_id in {each.user_id for each in await desk.reps.all()}
    with pytest.raises(NotFoundError):
        await desk.reps.get(rep.rep_record_id)


async def test_a_deleted_tag_is_gone_from_the_list_and_cannot_be_put_on_cases(desk):
    made = await desk.case_tags.create("printer")
    await desk.cases.tag(1, made.id)
    assert [tag.total_cases for tag in await desk.case_tags.all() if tag.id == made.id] == [1]
    await desk.case_tags.delete(made.id)
    assert made.id not in {tag.id for tag in await desk.case_tags.all()}
    assert made.id in (await desk.cases.get(1)).tags


async def test_a_view_of_a_client_has_resources_of_its_own(desk):
    view = desk.with_options(priority="bulk")
    assert await view.departments.active() == await desk.departments.active()
