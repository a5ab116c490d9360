"""Cases: search, read, open, and everything one can do with one."""

from typing import TYPE_CHECKING

from fusedesk_async.resources._case_attention import CaseAttention
from fusedesk_async.resources._case_reads import CaseReads
from fusedesk_async.resources._case_writes import CaseWrites

if TYPE_CHECKING:
    from fusedesk_async.resources.case_feedback import Feedback


class Cases(CaseReads, CaseWrites, CaseAttention):
    """Everything one can do with cases. An id is always `Case.id`, the record id, not the number people see."""

    @property
    def feedback(self) -> "Feedback":
        """What customers say of cases, and whether they are asked."""
        from fusedesk_async.resources.case_feedback import Feedback  # noqa: PLC0415 - few programs ask

        return Feedback(self._send)
