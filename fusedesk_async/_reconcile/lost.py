"""A new case whose response was lost: what it must be like, and when it is opened or never will be."""

from datetime import datetime

import attrs

from fusedesk_async._reconcile.found import CREATION
from fusedesk_async._reconcile.match import Wanted, opened_between, wanted
from fusedesk_async._wire.call import post
from fusedesk_async._wire.converter import case_form
from fusedesk_async._wire.encode import encode, fields_of
from fusedesk_async._wire.readers import anything
from fusedesk_async.errors import ConfigurationError, OutcomeUnknownError
from fusedesk_async.models import NewCase

LEAST_SETTLE = 120.0
"""Seconds. How long a server goes on with what nobody waits for is bounded by no figure that is public."""
SETTLE_FACTOR = 4.0


@attrs.frozen
class Lost:
    """A new case of which is unknown whether it was opened. Times are in seconds since 1970 by this machine's clock.

    Attributes:
        fields: What was asked for: the form.
        sent_at: When it was sent.
        settled_at: From when on it is opened or never will be.
        settle: Seconds for which this is waited at most after the response was given up.
    """

    fields: dict[str, str]
    sent_at: float
    settled_at: float
    settle: float

    def wanted(self, ahead: float | None) -> Wanted:
        """What it must be like, with what is known of the server's clock by now.

        Raises:
            CannotTellError: Its date is a text that only the server can read.
        """
        return wanted(self.fields, opened_between(self.sent_at, self.settled_at, ahead))


def default_settle(attempt: float) -> float:
    """Seconds from giving up a response from which on its request is carried out or never will be.

    A server may be at work on it long after nobody listens. PHP ends a script after 30 seconds by default, but does not
    count waiting for a database or a CRM, so this is no bound. What is taken instead is generous against how slow the
    server has just been.

    Args:
        attempt: Seconds that the attempt has lasted or may have lasted.
    """
    return max(LEAST_SETTLE, SETTLE_FACTOR * attempt)


def form_of(case: NewCase) -> dict[str, str]:
    """The form that opens a case, as it goes out.

    Raises:
        ConfigurationError: It cannot be sent.
    """
    return fields_of(encode(post(CREATION.path, anything, case_form(case))))


def lost_case(
    lost: OutcomeUnknownError | NewCase, sent_at: datetime | None, settle: float | None, timeout: float
) -> Lost:
    """What to look for.

    Args:
        lost: The error of `create`, or what was to be opened.
        sent_at: When, in the latter case.
        settle: Seconds; None for the default.
        timeout: Seconds that an attempt may last.

    Raises:
        ConfigurationError: It was no new case, or what must be known of it is missing.
    """
    if isinstance(lost, OutcomeUnknownError):
        request = lost.request
        if request is None or (request.method, request.path.rstrip("/")) != (CREATION.method, CREATION.path):
            message = f"only the opening of a case can be looked for, and this was {request or 'no request'}"
            raise ConfigurationError(message)
        fields, sent_at, lost_at = lost.fields, lost.sent_at, lost.lost_at
    else:
        fields, lost_at = form_of(lost), None
    if not isinstance(sent_at, datetime) or sent_at.tzinfo is None or not fields:
        message = "to look for a case, give the error of `create`, or a NewCase and sent_at with a time zone"
        raise ConfigurationError(message)
    sent = sent_at.timestamp()
    attempt = timeout if lost_at is None else max(0.0, lost_at.timestamp() - sent)
    wait = default_settle(max(attempt, timeout)) if settle is None else max(0.0, settle)
    return Lost(fields, sent, sent + attempt + wait, wait)
