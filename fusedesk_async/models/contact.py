"""Contacts: those who ask."""

from datetime import datetime
from typing import TypedDict

import attrs

from fusedesk_async._exports import public
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.models._record import Record, Written


@public
@attrs.frozen(kw_only=True)
class Contact(Record):
    """A contact, as v2 shows one; all members are named by a third-party source.

    Lists show the names, `phone_1`, `time_zone`, `website` and the dates; that a single contact comes with the rest is
    assumed.

    Attributes:
        id: The UUID that every `contact_uuid` wants.
        crm_id: The id in the CRM that every `contact_id` wants (`crmId`; that these are the same is assumed).
        first_name: The first name.
        last_name: The last name.
        company: The company's name.
        email_address: The address.
        email_address_2: Another one.
        email_address_3: A third one.
        phone_1: A number.
        phone_extension_1: Its extension (`phoneExt1`).
        phone_2: Another number.
        phone_extension_2: Its extension (`phoneExt2`).
        billing_street_1: The first line of the street (`street1Billing`).
        billing_street_2: The second line (`street2Billing`).
        billing_city: The city (`cityBilling`).
        billing_state: The state (`stateBilling`).
        billing_postal_code: The postal code (`postalBilling`).
        billing_country: The country (`countryBilling`).
        time_zone: Such as `America/New_York`.
        website: An address.
        date_created: When it was added.
        date_updated: When it was last changed.
    """

    id: str
    crm_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email_address: str | None = None
    email_address_2: str | None = None
    email_address_3: str | None = None
    phone_1: str | None = None
    phone_extension_1: str | None = None
    phone_2: str | None = None
    phone_extension_2: str | None = None
    billing_street_1: str | None = None
    billing_street_2: str | None = None
    billing_city: str | None = None
    billing_state: str | None = None
    billing_postal_code: str | None = None
    billing_country: str | None = None
    time_zone: str | None = None
    website: str | None = None
    date_created: datetime | None = None
    date_updated: datetime | None = None


@public
class ContactFields(TypedDict, total=False):
    """What can be changed of a contact; see `Contact`. An empty text takes away what was there (assumed)."""

    first_name: str
    last_name: str
    company: str
    email_address: str
    email_address_2: str
    email_address_3: str
    phone_1: str
    phone_extension_1: str
    phone_2: str
    phone_extension_2: str
    billing_street_1: str
    billing_street_2: str
    billing_city: str
    billing_state: str
    billing_postal_code: str
    billing_country: str
    time_zone: str
    website: str


@public
@attrs.frozen(kw_only=True)
class NewContact(Written):
    """A contact to add, see `Contact` for the fields. The API demands none of them; here there must be one."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email_address: str | None = None
    email_address_2: str | None = None
    email_address_3: str | None = None
    phone_1: str | None = None
    phone_extension_1: str | None = None
    phone_2: str | None = None
    phone_extension_2: str | None = None
    billing_street_1: str | None = None
    billing_street_2: str | None = None
    billing_city: str | None = None
    billing_state: str | None = None
    billing_postal_code: str | None = None
    billing_country: str | None = None
    time_zone: str | None = None
    website: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what is no text, and a contact without any."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        for name, value in given.items():
            if not isinstance(value, str):
                message = f"{name} is a text, not {value!r:.80}"
                raise ConfigurationError(message)
        if not given:
            message = "a contact without any field: give at least one, such as email_address"
            raise ConfigurationError(message)
