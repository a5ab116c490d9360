"""Emails that are not in a case yet."""

from fusedesk_async._pagination.pages import Pages
from fusedesk_async._wire.call import CallSender, get, text_id
from fusedesk_async._wire.field_names import request_names
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import many, one
from fusedesk_async._wire.search_query import order_text
from fusedesk_async.filters import OrderBy
from fusedesk_async.models.email import EmailMessage
from fusedesk_async.resources._resource import Resource


class Emails(Resource):
    """Emails that are not in a case yet. Their ids are texts."""

    def __init__(self, send: CallSender, profile: LearnedProfile | None = None) -> None:
        super().__init__(send)
        self._profile = profile or LearnedProfile()

    def unassigned(
        self,
        *,
        sender: str | None = None,
        subject: str | None = None,
        content: str | None = None,
        body_limit: int | None = None,
        order_by: OrderBy | None = None,
        page_size: int = 100,
    ) -> Pages[EmailMessage]:
        """Emails that belong to no case, fetched page by page (`GET emails/unassigned`, third-party source).

        It is plain paging in the server's order: an email that changes its position while you iterate can be missed.
        Defaults and bounds of `limit` and `offset` are not public; that the latter counts rows is assumed.

        Args:
            sender: Who wrote them (`from`); how it is compared is not public.
            subject: The subject, likewise.
            content: The text, likewise.
            body_limit: How much of a body is sent (`bodylimit`), in characters presumably.
            order_by: As for cases. Which columns the server knows is not public.
            page_size: Rows fetched at once, 1 to 500. Each page is one call of the hourly quota.

        Raises:
            ConfigurationError: The order or the page size cannot be right.
            PaginationError: While iterating: the server ignores the offset.
        """
        fields = {"sender": sender, "subject": subject, "content": content, "body_limit": body_limit}
        query = request_names(fields | {"orderby": None if order_by is None else order_text(EmailMessage, order_by)})
        call = get("v1/emails/unassigned", many(EmailMessage), query)
        return Pages(self._send, call, page_size=page_size, identity=_identity, ascending=False, profile=self._profile)

    async def get(self, email_id: str) -> EmailMessage:
        """One email (`GET emails/{id}`, third-party source; its shape is assumed).

        Args:
            email_id: `EmailMessage.id`, or the `id` of an email in a history.

        Raises:
            NotFoundError: There is no such email.
        """
        return await self._send(get(f"v1/emails/{text_id(email_id, 'an email id')}", one(EmailMessage)))


def _identity(email: EmailMessage) -> str | bytes:
    return email.id or email.source
