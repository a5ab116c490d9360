"""What users' type checkers see of exports; read by mypy --strict and pyright strict, never run."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, assert_type

from fusedesk_async import CaseFilters, FuseDesk, after
from fusedesk_async.export import ExportOptions, ExportPlan, ExportProgress, ExportReport, export_cases, plan_export


def shown(progress: ExportProgress) -> str:
    assert_type(progress.expected, int | None)
    assert_type(progress.plan, ExportPlan | None)
    return f"{progress.cases} {progress.outage}"


async def exports(desk: FuseDesk, options: ExportOptions, filters: CaseFilters) -> None:
    report = await export_cases(
        desk,
        "cases.db",
        on_progress=shown,
        status="all",
        date_opened=after("2026-01-01"),
        history=True,
        update=True,
        resume="require",
        concurrency=2,
        outage=60,
        look_back=timedelta(days=1),
    )
    assert_type(report, ExportReport)
    assert_type(report.rejected_ids, tuple[int | str | None, ...])
    assert_type(report.is_whole, bool)
    assert_type(report.as_dict(), dict[str, Any])
    await export_cases(desk, Path("cases.csv"), guard_formulas=True, **filters)
    await export_cases(desk, BytesIO(), format="jsonl", **filters)
    plan = await plan_export(desk, "cases.parquet", **options)
    assert_type(plan, ExportPlan)
    assert_type(plan.at_most, int | None)
    await export_cases(desk, 5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await export_cases(desk, "a.db", resume="maybe")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await export_cases(desk, "a.db", statsu="all")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
