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
        plain = yield from _accepted_before(inquiry, page)
        page = plain or (yield from _accepted(inquiry, page))
    if other := _other_order(inquiry, page):
        again = yield FetchPage(next(inquiry.tokens), page.fetch.offset, page.fetch.limit, other, 1)
        if direction_of(again.ids) in {"ascending", "descending"}:
            page = again
    if page.fetch.order != inquiry.stitcher.order:
        inquiry.stitcher.order = page.fetch.order  # type: ignore[assignment] # one of those above
        inquiry.profile.learn(order=page.fetch.order)
    return page


def _other_order(inquiry: Inquiry, page: Outcome) -> OrderBy | None:
    """Another way to ask for the order of ids that is worth a try."""
    way, profile = direction_of(page.ids), inquiry.profile
    if page.fetch.order == ORDERS[1]:  # the first page is no proof of it where it was only taken over
        return ORDERS[0] if profile.is_given("order") and way in {"none", "descending"} else None
    known = profile.is_given("direction") and profile.value.direction == "none"
    return ORDERS[1] if way == "none" and page.fetch.order in {None, ORDERS[0]} and not known else None


def _accepted_before(inquiry: Inquiry, refused: Outcome) -> Asking[Outcome | None]:
    """The page without an order, if an earlier client has found that the server takes none."""
    if not inquiry.profile.is_given("order") or inquiry.profile.value.order != "":
        return None
    page = yield FetchPage(next(inquiry.tokens), refused.fetch.offset, refused.fetch.limit, "", 1)
    if page.is_refused:
        return None
    inquiry.profile.learn(order="")
    return page


def _accepted(inquiry: Inquiry, refused: Outcome) -> Asking[Outcome]:
    """A page that is not refused: with a small limit, in another order; then with the largest limit that is taken."""
    offset, most = refused.fetch.offset, refused.fetch.limit
    limits = [limit for limit in LIMITS if limit < most] or [max(2, most // 2)]
    known: OrderBy = inquiry.stitcher.order or ORDERS[0]
    orders = ORDERS if inquiry.profile.is_given("order") else ORDERS[ORDERS.index(known) :]
    for order in orders:
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
