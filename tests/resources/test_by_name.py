"""Names in the place of ids, from the call to the request."""

import json

import anyio
import attrs
import pytest
from clients import client

from fusedesk_async import Bookmark, ConfigurationError, NameLookupError, NewCase, PermissionDeniedError
from fusedesk_async._wire.call import post
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.name_refs import NameRef, names_in, with_id_segment, with_ids
from fusedesk_async._wire.readers import acknowledgement
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def sandbox(clock):
    return Sandbox(700, clock=clock, latency=0.1)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock) as desk:
        yield desk


@pytest.fixture
def rep(sandbox):
    return next(rep for rep in sandbox.state.reps.values() if rep.active)


@pytest.fixture
def department(sandbox, rep):
    return next(each for each in sandbox.state.departments.values() if rep.user in each.reps)


@pytest.fixture
def tag(sandbox):
    return next(tag for tag in sandbox.state.tags.values() if not tag.archived)


def operations(sandbox):
    return [request.operation for request in sandbox.received]


async def test_the_directory_takes_three_calls_and_then_none(sandbox, desk, rep, department, tag):
    directory = await desk.directory()
    assert sorted(operations(sandbox)) == ["casetags", "departments", "reps"]
    assert directory.department(department.name.upper()).id == department.id
    assert directory.rep(rep.name).user_id == rep.user
    assert directory.tag(tag.name).id == tag.id
    assert await desk.directory() is directory
    assert await desk.with_options(priority="bulk").directory() is directory
    assert len(sandbox.received) == 3


async def test_what_was_renamed_is_found_after_a_refresh(sandbox, desk, department):
    await desk.directory()
    department.name = "Complaints"
    with pytest.raises(NameLookupError):
        (await desk.directory()).department("Complaints")
    assert (await desk.directory(refresh=True)).department("Complaints").id == department.id
    assert len(sandbox.received) == 6


async def test_a_search_by_names_finds_what_a_search_by_ids_finds(sandbox, desk, rep, department, tag):
    by_name = desk.cases.search(rep=rep.name, department=department.name, status="all")
    assert len(sandbox.received) == 0
    found = await by_name.collect()
    assert sorted({*operations(sandbox)}) == ["departments", "reps", "search"]
    assert found == await desk.cases.search(rep_id=rep.user, department_id=department.id, status="all").collect()
    assert await by_name.collect() == found
    tagged = await desk.cases.search(tag=tag.name).collect()
    assert tagged == await desk.cases.search(tag_id=tag.id).collect()
    assert tagged
    assert operations(sandbox).count("casetags") == 1


async def test_a_slip_is_told_when_the_search_is_iterated_with_what_may_be_meant(sandbox, desk, department):
    slip = department.name[:-1]
    search = desk.cases.search(department=slip)
    with pytest.raises(NameLookupError, match="did you mean") as caught:
        await search.first()
    assert department.name in caught.value.near
    assert "search" not in operations(sandbox)


@pytest.mark.parametrize("kind", ["department", "rep", "tag"])
async def test_a_name_and_an_id_of_the_same_kind_are_refused(sandbox, desk, kind):
    with pytest.raises(ConfigurationError, match=f"give {kind} or {kind}_id, not both"):
        desk.cases.search(**{kind: "x", f"{kind}_id": 3})
    with pytest.raises(ConfigurationError, match=f"{kind} is a name, not ' '"):
        desk.cases.walk(**{kind: " "})
    with pytest.raises(ConfigurationError, match=f"{kind} is a name, not 7"):
        desk.cases.walk(**{kind: 7})
    assert len(sandbox.received) == 0


async def test_writes_take_names(sandbox, desk, rep, department, tag):
    await desk.cases.transfer(1, rep=rep.name, department=department.name)
    detail = await desk.cases.get(1)
    assert (detail.rep_id, detail.department_id) == (rep.user, department.id)
    await desk.cases.tag(1, tag=tag.name)
    assert tag.id in (await desk.cases.get(1)).tags
    await desk.cases.untag(1, tag=tag.name)
    assert tag.id not in (await desk.cases.get(1)).tags
    created = await desk.cases.create(
        NewCase(department=department.name, rep=rep.name, summary="s", details="d", opened_by="jo")
    )
    opened = await desk.cases.get(created.id)
    assert (opened.rep_id, opened.department_id) == (rep.user, department.id)
    assert [operations(sandbox).count(name) for name in ("departments", "reps", "casetags")] == [1, 1, 1]


async def test_a_wrong_name_writes_nothing(sandbox, desk):
    calls = [
        desk.cases.transfer(1, rep="nobody"),
        desk.cases.tag(1, tag="nothing"),
        desk.cases.update_many([1, 2], department="nowhere"),
        desk.cases.create(NewCase(department="nowhere", summary="s", details="d", opened_by="jo")),
    ]
    for call in calls:
        with pytest.raises(NameLookupError):
            await call
    assert all(request.method == "GET" for request in sandbox.received)


async def test_a_tag_is_one_id_or_one_name(sandbox, desk):
    for arguments, options in (((1,), {}), ((1, 2), {"tag": "x"}), ((1, "refund"), {})):
        with pytest.raises(ConfigurationError):
            await desk.cases.tag(*arguments, **options)
    assert len(sandbox.received) == 0


@pytest.mark.parametrize(
    "fields", [{}, {"department": "a", "department_id": 1}, {"department": "a", "rep": "b", "rep_id": 1}]
)
def test_a_new_case_has_one_department_and_at_most_one_rep(fields):
    with pytest.raises(ConfigurationError, match="give"):
        NewCase(summary="s", details="d", opened_by="jo", **fields)


async def test_many_tasks_fetch_a_list_once(sandbox, desk, rep):
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(desk.cases.search(rep=rep.name).first)
    assert operations(sandbox).count("reps") == 1
    assert operations(sandbox).count("search") == 20


async def test_a_walks_bookmark_is_the_same_by_names_and_by_ids(sandbox, desk, department):
    marks = []
    for filters in ({"department": department.name}, {"department_id": department.id}):
        async with desk.cases.walk(status="all", page_size=100, **filters) as walk:
            for _ in range(5):
                await anext(walk)
            marks.append(walk.bookmark)
    by_name, by_id = marks
    assert by_name == by_id
    async with desk.cases.walk(status="all", after=by_id, department=department.name) as walk:
        assert walk.bookmark == by_id
        rest = [case.id async for case in walk]
    everything = [case.id async for case in desk.cases.search(status="all", department_id=department.id)]
    assert rest == everything[5:]


async def rename_all(sandbox, desk, name):
    """From now on another department has the name, and the client knows it."""
    old = next(each for each in sandbox.state.departments.values() if each.name == name)
    other = next(each for each in sandbox.state.departments.values() if each is not old)
    old.name, other.name = other.name, old.name
    assert (await desk.directory(refresh=True)).department(name).id == other.id


@pytest.mark.parametrize("kind", ["search", "walk", "pages"])
async def test_a_name_stands_for_one_id_through_a_whole_list(sandbox, desk, department, kind):
    name, filters = department.name, {"department": department.name, "status": "all", "page_size": 20}
    expected = [case.id async for case in desk.cases.search(department_id=department.id, status="all")]
    assert len(expected) > 60
    got = []
    if kind == "walk":
        async with desk.cases.walk(concurrency=1, **filters) as walk:
            got.append((await anext(walk)).id)
            mark = walk.bookmark
            await rename_all(sandbox, desk, name)
            got += [case.id async for case in walk]
            assert walk.bookmark.job == mark.job
    elif kind == "search":
        cases = desk.cases.search(**filters)
        iterator = aiter(cases)
        got.append((await anext(iterator)).id)
        await rename_all(sandbox, desk, name)
        got += [case.id async for case in iterator]
        assert [case.id async for case in cases] == expected, "it began with that id"
    else:
        pages = desk.cases.search(**filters).pages()
        got += [case.id for case in (await anext(pages)).items]
        await rename_all(sandbox, desk, name)
        got += [case.id async for page in pages for case in page.items]
    assert got == expected


async def test_of_two_passes_that_look_up_at_once_both_keep_to_one_id(sandbox, desk, department):
    cases, passes = desk.cases.search(department=department.name, status="all", page_size=20), []

    async def go_through():
        passes.append([case.id async for case in cases])

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(go_through)
    assert passes[0] == passes[1] == passes[2] != []


async def test_names_that_cannot_be_looked_up_end_a_walk_before_a_page_is_asked_for(sandbox, desk):
    async with desk.cases.walk(department="nowhere") as walk:
        with pytest.raises(NameLookupError):
            await anext(walk)
    assert operations(sandbox) == ["departments"]
    assert walk.report.calls == 0


def test_a_resolved_call_is_a_new_one():
    form = {"repid": NameRef("rep", "Marta"), "status": "new"}
    call = with_id_segment(post("v1/cases/1/tag", acknowledgement, form), "tag", None, "refund")
    assert [name.text for name in names_in(call)] == ["Marta", "refund"]
    resolved = with_ids(call, lambda name: len(name.text))
    assert (resolved.path, resolved.form, resolved.last_segment) == (
        "v1/cases/1/tag/6",
        {"repid": 5, "status": "new"},
        None,
    )
    assert not [*names_in(resolved)]
    assert len([*names_in(call)]) == 2
    assert encode(resolved).path == "v1/cases/1/tag/6"


async def test_a_bookmark_of_other_filters_is_refused_before_a_case_is_handed_out(desk, department):
    other = Bookmark(5, 5, "0" * 16)
    async with desk.cases.walk(after=other, department=department.name) as walk:
        with pytest.raises(ConfigurationError, match="a walk with other filters"):
            await anext(walk)


async def test_a_walk_that_has_not_begun_does_not_know_its_bookmark(desk, department):
    walk = desk.cases.walk(department=department.name)
    with pytest.raises(ConfigurationError, match="before the first case is asked for"):
        _ = walk.bookmark


async def test_a_key_that_may_not_read_reps_still_finds_departments(clock):
    sandbox = Sandbox(50, keys={"some": {"cases", "departments"}}, clock=clock)
    name = next(iter(sandbox.state.departments.values())).name
    async with client(sandbox, clock) as desk:
        directory = await desk.directory()
        assert directory.department(name).name == name
        with pytest.raises(PermissionDeniedError) as caught:
            await desk.cases.search(rep="Marta").first()
        assert caught.value.scope == "reps"


async def test_a_key_that_may_read_nothing_is_refused(clock):
    sandbox = Sandbox(50, keys={"none": set()}, clock=clock)
    async with client(sandbox, clock) as desk:
        with pytest.raises(PermissionDeniedError):
            await desk.directory()


def test_a_name_that_was_not_looked_up_is_never_sent():
    call = post("v1/cases/1/tag", acknowledgement)
    in_form = attrs.evolve(call, form={"repid": NameRef("rep", "refund")})
    for named in (with_id_segment(call, "tag", None, "refund"), in_form):
        with pytest.raises(ConfigurationError, match="refund"):
            encode(named)


async def test_an_export_by_names_goes_on_with_one_by_ids(clock, tmp_path):
    sandbox, out = Sandbox(6_000, clock=clock), tmp_path / "cases.jsonl"
    department = next(iter(sandbox.state.departments.values()))
    async with client(sandbox, clock) as desk:
        sandbox.fault("search", status=403, nth=2)
        with pytest.raises(PermissionDeniedError):
            await export_cases(desk, out, concurrency=1, status="all", department=department.name)
        await export_cases(desk, out, resume="require", status="all", department_id=department.id)
        ids = [case.id async for case in desk.cases.search(status="all", department_id=department.id)]
        plan = await plan_export(desk, tmp_path / "others.jsonl", status="all", department=department.name)
    assert [json.loads(line)["caseid"] for line in out.read_text().splitlines()] == ids
    assert plan.at_least <= len(ids) <= plan.at_most
