"""Contacts: those who ask."""

from typing import Unpack
from uuid import UUID

from fusedesk_async._wire.call import get, post, text_id
from fusedesk_async._wire.converter import unstructure
from fusedesk_async._wire.readers import acknowledgement, every, one
from fusedesk_async.models.contact import Contact, ContactFields, NewContact
from fusedesk_async.models.created import Created
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.resources._created import created_text
from fusedesk_async.resources._resource import Resource, filled

_PATH = "v2/contacts"


class Contacts(Resource):
    """Contacts. `Contact.id` is what every `contact_uuid` wants, `Contact.crm_id` what every `contact_id` wants."""

    async def search(self, text: str, *, limit: int | None = None, offset: int | None = None) -> list[Contact]:
        """Contacts that match a text (`GET v2/contacts`, third-party source). Where it is looked for is not public.

        Args:
            text: A part of a name, an address … (`search`).
            limit: How many contacts at most; how many the server gives by default is not public.
            offset: How many to leave out first. One third-party source names `limit` and `offset`, another does not.
        """
        query = {"search": filled(text, "text"), "limit": limit, "offset": offset}
        return await self._send(get(_PATH, every(Contact), query))

    async def get(self, contact_id: int | str | UUID) -> Contact:
        """One contact (`GET v2/contacts/{id}`, third-party source).

        Args:
            contact_id: Its UUID, `Contact.id`, or its id in the CRM, `Contact.crm_id`.

        Raises:
            NotFoundError: There is no such contact.
        """
        return await self._send(get(_path(contact_id), one(Contact)))

    async def create(self, contact: NewContact) -> Created[str]:
        """Add a contact (`POST v2/contacts`, third-party source). Sent once.

        Returns:
            What the server said; that it tells the new UUID is assumed.

        Raises:
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been added.
        """
        return await self._send(post(_PATH, created_text, unstructure(contact)))

    async def update(self, contact_id: int | str | UUID, **changes: Unpack[ContactFields]) -> Acknowledgement:
        """Change a contact (`POST v2/contacts/{id}`, third-party source). Sent once; the answer is assumed.

        Args:
            contact_id: Its UUID, `Contact.id`, or its id in the CRM, `Contact.crm_id`.
            **changes: See `ContactFields`. What is not given stays as it is.

        Raises:
            ConfigurationError: There is nothing to change, or a value is no text.
            OutcomeUnknownError: It may have been changed.
        """
        return await self._send(post(_path(contact_id), acknowledgement, unstructure(NewContact(**changes))))


def _path(contact_id: int | str | UUID) -> str:
    return f"{_PATH}/{text_id(contact_id, 'a contact id')}"
