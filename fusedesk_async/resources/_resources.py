"""What a client offers apart from cases and session; each is loaded when it is first used."""

from typing import TYPE_CHECKING

from fusedesk_async._wire.call import CallSender
from fusedesk_async._wire.profile import LearnedProfile

if TYPE_CHECKING:
    from fusedesk_async.resources.case_tags import CaseTags
    from fusedesk_async.resources.chats import Chats
    from fusedesk_async.resources.contacts import Contacts
    from fusedesk_async.resources.departments import Departments
    from fusedesk_async.resources.emails import Emails
    from fusedesk_async.resources.integrations import Integrations
    from fusedesk_async.resources.reps import Reps
    from fusedesk_async.resources.webhooks import Webhooks


class Resources:
    """The kinds of things that a client has calls about."""

    _sender: CallSender
    _profile: LearnedProfile

    @property
    def case_tags(self) -> "CaseTags":
        """The tags that cases can carry."""
        from fusedesk_async.resources.case_tags import CaseTags

        return CaseTags(self._sender)

    @property
    def chats(self) -> "Chats":
        """Chats."""
        from fusedesk_async.resources.chats import Chats

        return Chats(self._sender)

    @property
    def contacts(self) -> "Contacts":
        """Contacts: those who ask."""
        from fusedesk_async.resources.contacts import Contacts

        return Contacts(self._sender)

    @property
    def departments(self) -> "Departments":
        """Departments: who answers what."""
        from fusedesk_async.resources.departments import Departments

        return Departments(self._sender)

    @property
    def emails(self) -> "Emails":
        """Emails that are not in a case yet."""
        from fusedesk_async.resources.emails import Emails

        return Emails(self._sender, self._profile)

    @property
    def integrations(self) -> "Integrations":
        """What the account is connected with."""
        from fusedesk_async.resources.integrations import Integrations

        return Integrations(self._sender)

    @property
    def reps(self) -> "Reps":
        """Reps: those who answer."""
        from fusedesk_async.resources.reps import Reps

        return Reps(self._sender)

    @property
    def webhooks(self) -> "Webhooks":
        """Addresses that FuseDesk calls when something happens."""
        from fusedesk_async.resources.webhooks import Webhooks

        return Webhooks(self._sender)
