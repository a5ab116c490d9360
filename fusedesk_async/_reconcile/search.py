"""What look-ups ask of a client."""

from typing import Protocol

from fusedesk_async._pagination.pages import Pages
from fusedesk_async.filters import DateFilter, Order
from fusedesk_async.models import Case


class Search(Protocol):
    """`desk.cases.search`, as far as it is used here."""

    def __call__(self, *, order_by: Order | None = None, date_opened: DateFilter = ...) -> Pages[Case]:
        """Cases in an order, or the cases opened on certain days."""
        ...
