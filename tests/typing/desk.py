"""What type checkers see of departments, reps and case tags; see `api.py`."""

from datetime import datetime
from typing import Any, assert_type

from fusedesk_async import Acknowledgement, CaseTag, Created, Department, FuseDesk, Rep


async def departments(desk: FuseDesk) -> None:
    assert_type(await desk.departments.active(), list[Department])
    assert_type(await desk.departments.all(), list[Department])
    assert_type(await desk.departments.archived(), list[Department])
    department = await desk.departments.get(3)
    assert_type(department, Department)
    assert_type(department.id, int)
    assert_type(department.rep_user_ids, tuple[int, ...])
    assert_type(department.date_archived, datetime | None)
    assert_type(await desk.departments.create("Billing"), Created[int])
    assert_type(await desk.departments.update(3, stale=4, rep_user_ids=[1], all_reps=False), Acknowledgement)
    assert_type(await desk.departments.archive(3), Acknowledgement)
    assert_type(await desk.departments.restore(3), Acknowledgement)
    await desk.departments.get("Billing")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await desk.departments.update(3, name="a")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


async def reps(desk: FuseDesk) -> None:
    assert_type(await desk.reps.all(), list[Rep])
    rep = await desk.reps.get(11)
    assert_type(rep.user_id, int)
    assert_type(rep.rep_record_id, int | None)
    assert_type(rep.active, bool | None)
    _ = rep.id  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


async def case_tags(desk: FuseDesk) -> None:
    assert_type(await desk.case_tags.all(), list[CaseTag])
    created = await desk.case_tags.create("refund")
    assert_type(created, Created[int])
    assert_type(created.id, int | None)
    assert_type(created.raw, Any)
    assert_type(await desk.case_tags.delete(7), Acknowledgement)
