"""What a client offers besides cases and session; each is loaded when it is first used."""

from typing import TYPE_CHECKING

from fusedesk_async._call import Send

if TYPE_CHECKING:
    from fusedesk_async.resources.case_tags import CaseTags
    from fusedesk_async.resources.departments import Departments
    from fusedesk_async.resources.reps import Reps


class Resources:
    """The kinds of things that a client has calls about."""

    _sender: Send

    @property
    def case_tags(self) -> "CaseTags":
        """The tags that cases can carry."""
        from fusedesk_async.resources.case_tags import CaseTags

        return CaseTags(self._sender)

    @property
    def departments(self) -> "Departments":
        """Departments: who answers what."""
        from fusedesk_async.resources.departments import Departments

        return Departments(self._sender)

    @property
    def reps(self) -> "Reps":
        """Reps: those who answer."""
        from fusedesk_async.resources.reps import Reps

        return Reps(self._sender)
