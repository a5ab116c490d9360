"""Bulk import: cases from elsewhere into FuseDesk, each opened exactly once, however often the import is killed."""

from fusedesk_async.importing._import import ImportRow, import_cases
from fusedesk_async.importing._report import ImportProgress, ImportReport

__all__ = ["ImportProgress", "ImportReport", "ImportRow", "import_cases"]
