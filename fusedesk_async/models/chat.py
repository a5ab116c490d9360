"""Chats."""

from datetime import datetime
from typing import Any

import attrs

from fusedesk_async import _json
from fusedesk_async._exports import public
from fusedesk_async.models._record import Record

MESSAGE_NAMES = ("messages", "history", "messageHistory")
"""Where the messages of a chat may stand in an answer; no public source shows it."""


@public
@attrs.frozen(kw_only=True)
class Chat(Record):
    """A chat, as lists show it; all members are named by a third-party source.

    Attributes:
        id: A text, even where it looks like a number.
        title: A headline.
        client_name: Who asks.
        contact_uuid: The contact's id in FuseDesk.
        platform: Where it takes place, such as `livechat`.
        last_message: The text of the last message.
        last_message_sender: Who wrote that.
        case_id: The case it belongs to.
        contact_id: The contact's id in the CRM.
        department_id: The department it goes to.
        rep_id: The user id of the rep, `Rep.user_id`.
        note_id: The note that it became when it was closed.
        unseen: How many messages nobody has seen.
        is_archived: Whether it is archived.
        date_created: When it began.
        date_closed: When it was closed.
        date_last_message: When the last message was written.
        date_last_message_received: When the client wrote last.
        date_last_response: When a rep wrote last.
    """

    id: str
    title: str | None = None
    client_name: str | None = None
    contact_uuid: str | None = None
    platform: str | None = None
    last_message: str | None = None
    last_message_sender: str | None = None
    case_id: int | None = None
    contact_id: int | None = None
    department_id: int | None = None
    rep_id: int | None = None
    note_id: int | None = None
    unseen: int | None = None
    is_archived: bool | None = None
    date_created: datetime | None = None
    date_closed: datetime | None = None
    date_last_message: datetime | None = None
    date_last_message_received: datetime | None = None
    date_last_response: datetime | None = None


@public
@attrs.frozen(kw_only=True)
class ChatDetail(Chat):
    """A chat with its messages."""

    @property
    def extra(self) -> dict[str, Any]:
        """The members that this library does not know, as for any record; messages are none of them."""
        return {name: value for name, value in super().extra.items() if name not in MESSAGE_NAMES}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages as the server sent them, oldest or newest first as it likes; their members are not public.

        They are the first list found under a likely name (assumed); none found is no message, see `raw` then.

        Raises:
            UnexpectedResponseError: A member that no field reads holds a number beyond a float.
        """
        members = self.raw
        lists = [found for name in MESSAGE_NAMES if _json.is_list(found := members.get(name))]
        return [message for message in lists[0] if _json.is_object(message)] if lists else []
