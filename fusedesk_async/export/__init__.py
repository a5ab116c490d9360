"""Exports of cases that survive being killed, cut off and out of quota: `export_cases`."""

from fusedesk_async.export._export import export_cases, plan_export
from fusedesk_async.export._histories import HistoriesReport, export_histories
from fusedesk_async.export._options import ExportOptions
from fusedesk_async.export._report import ExportPlan, ExportProgress, ExportReport
from fusedesk_async.export._sink import Resume
from fusedesk_async.export._stream import BinaryStream
from fusedesk_async.export._target import Format, Target

__all__ = [
    "BinaryStream",
    "ExportOptions",
    "ExportPlan",
    "ExportProgress",
    "ExportReport",
    "Format",
    "HistoriesReport",
    "Resume",
    "Target",
    "export_cases",
    "export_histories",
    "plan_export",
]
