"""Finds out how a server wants to be asked: with which limit, and how for the order of ids."""

from fusedesk_async._pagination.asking import Asking, FetchPage, Outcome, direction_of
from fusedesk_async._pagination.inquiry import Inquiry
from fusedesk_async._wire.profile import OrderBy

ORDERS: tuple[OrderBy, ...] = ("caseid asc", "caseid", "")
LIMITS = (250, 150, 100)


def find_form(inquiry: Inquiry, page: Outcome) -> Asking[Outcome]:
    """The first page in a form that the server takes, in which ids ascend or descend if there is any.

    Raises:
        FuseDeskError: It takes none; what it said at first.
    """
    if page.is_refused:
        page = yield from _accepted(inquiry, page)
    if direction_of(page.ids) == "none" and page.fetch.order in {None, ORDERS[0]}:
        bare = yield FetchPage(next(inquiry.tokens), page.fetch.offset, page.fetch.limit, ORDERS[1], 1)
        if direction_of(bare.ids) in {"ascending", "descending"}:
            page = bare
    if page.fetch.order != inquiry.stitcher.order:
        inquiry.stitcher.order = page.fetch.order  # type: ignore[assignment] # one of those above
        inquiry.profile.learn(order=page.fetch.order)
    return page


def _accepted(inquiry: Inquiry, refused: Outcome) -> Asking[Outcome]:
    """A page that is not refused: with a small limit, in another order; then with the largest limit that is taken."""
    offset, most = refused.fetch.offset, refused.fetch.limit
    limits = [limit for limit in LIMITS if limit < most] or [max(2, most // 2)]
    known: OrderBy = inquiry.stitcher.order or ORDERS[0]
    for order in ORDERS[ORDERS.index(known) :]:
        page = yield FetchPage(next(inquiry.tokens), offset, limits[-1], order, 1)
        if page.is_refused:
            continue
        larger = ([most] if order != known else []) + limits[:-1]
        for limit in larger:
            if page.received < page.fetch.limit:
                break
            longer = yield FetchPage(next(inquiry.tokens), offset, limit, order, 1)
            if not longer.is_refused:
                page = longer
                break
        if page.fetch.limit < most:
            inquiry.profile.learn(page_limit=page.fetch.limit)
            inquiry.limit_to(page.fetch.limit)
        return page
    assert refused.error  # noqa: S101
    raise refused.error
