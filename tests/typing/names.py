"""What type checkers see of names in the place of ids; see `api.py`."""

from collections.abc import Mapping
from typing import assert_type

from fusedesk_async import (
    Acknowledgement,
    Case,
    CaseFilters,
    CaseTag,
    Department,
    Directory,
    FuseDesk,
    NameLookupError,
    NewCase,
    Pages,
    PermissionDeniedError,
    Rep,
    Walk,
)


async def directories(desk: FuseDesk) -> None:
    directory = await desk.directory()
    assert_type(directory, Directory)
    assert_type(await desk.directory(refresh=True), Directory)
    assert_type(directory.department("Billing"), Department)
    assert_type(directory.rep("Marta Lindgren"), Rep)
    assert_type(directory.tag("refund"), CaseTag)
    assert_type(directory.filters(rep="Jo", status="open"), CaseFilters)
    assert_type(directory.reps, tuple[Rep, ...])
    assert_type(directory.denied, Mapping[str, PermissionDeniedError])
    directory.rep(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def names(desk: FuseDesk) -> None:
    assert_type(desk.cases.search(department="Billing", rep="Marta Lindgren", tag="refund"), Pages[Case])
    assert_type(desk.cases.walk(department="Billing"), Walk[Case])
    assert_type(await desk.cases.tag(42, tag="refund"), Acknowledgement)
    assert_type(await desk.cases.untag(42, tag="refund"), Acknowledgement)
    assert_type(await desk.cases.transfer(42, rep="Marta Lindgren", department="Billing"), Acknowledgement)
    assert_type(await desk.cases.update_many([42], tag="refund"), list[Acknowledgement])
    await desk.cases.create(NewCase(department="Billing", rep="Jo", summary="s", details="d", opened_by="jo"))
    desk.cases.search(rep=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await desk.cases.tag(42, "refund")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def failures(error: NameLookupError) -> None:
    assert_type((error.kind, error.name, error.near), tuple[str, str, tuple[str, ...]])
