"""Chats."""

from uuid import UUID

from fusedesk_async._wire.call import get, post, text_id
from fusedesk_async._wire.field_names import request_names
from fusedesk_async._wire.readers import acknowledgement, every, one
from fusedesk_async.models.chat import Chat, ChatDetail
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.resources._resource import Resource


class Chats(Resource):
    """Chats. Their ids are texts."""

    async def all(self) -> list[Chat]:
        """All chats that are going on (`GET chats`, third-party source)."""
        return await self._send(get("v1/chats", every(Chat)))

    async def get(self, chat_id: str) -> ChatDetail:
        """One chat with its messages (`GET chats/{id}`, third-party source; the messages' shape is not public).

        Raises:
            NotFoundError: There is no such chat.
        """
        return await self._send(get(_path(chat_id), one(ChatDetail)))

    async def update(
        self,
        chat_id: str,
        *,
        title: str | None = None,
        client_name: str | None = None,
        contact_uuid: UUID | str | None = None,
        case_id: int | None = None,
        department_id: int | None = None,
        rep_id: int | None = None,
        unseen: int | None = None,
    ) -> Acknowledgement:
        """Change a chat (`POST chats/{id}`, third-party source). Sent once; the answer is assumed.

        Args:
            chat_id: The chat.
            title: A headline.
            client_name: Who asks (`clientName`).
            contact_uuid: The contact's id in FuseDesk (`contactUuid`).
            case_id: The case it belongs to (`caseId`).
            department_id: The department it goes to (`departmentId`).
            rep_id: The user id of the rep (`repId`; that it is the user id is assumed).
            unseen: How many messages nobody has seen.

        Raises:
            ConfigurationError: There is nothing to change.
            OutcomeUnknownError: It may have been changed.
        """
        fields = {
            "title": title,
            "client_name": client_name,
            "contact_uuid": contact_uuid,
            "case_id": case_id,
            "department_id": department_id,
            "rep_id": rep_id,
            "unseen": unseen,
        }
        return await self._send(post(_path(chat_id), acknowledgement, request_names(fields, "Chat", at_least_one=True)))

    async def close(
        self,
        chat_id: str,
        *,
        status: str | None = None,
        department_id: int | None = None,
        rep_id: int | None = None,
    ) -> Acknowledgement:
        """Close a chat for good: it becomes a note in its case (`POST chats/{id}/close`, third-party sources).

        It cannot be undone. Sent once; the answer is assumed, and so is where the note goes if the chat has no case.

        Args:
            chat_id: The chat.
            status: The status that its case gets: `new`, `open` or `closed`.
            department_id: The department that its case goes to (`depid`).
            rep_id: The user id of the rep that its case goes to (`repid`).

        Raises:
            OutcomeUnknownError: It may have been closed.
        """
        form = request_names({"status": status, "department_id": department_id, "rep_id": rep_id})
        return await self._send(post(_path(chat_id, "close"), acknowledgement, form))


def _path(chat_id: str, *rest: str) -> str:
    return "/".join(("v1/chats", text_id(chat_id, "a chat id"), *rest))
