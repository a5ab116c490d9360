"""Departments."""

from datetime import datetime

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class Department(Record):
    """A department, as v2 shows it; its members are named by a third-party source, but for `id` and `name` (plugin).

    Attributes:
        id: What every `department_id` wants.
        name: What people see.
        rep_user_ids: User ids of the reps who work there (`repUserIds`), each a `Rep.user_id`.
        all_reps: Whether all reps do (`allReps`).
        date_created: When it was made.
        date_archived: When it was archived; None while it is in use.
        stale: When a case counts as stale. The unit is disputed: hours by FuseDesk's old page, minutes by another.
        stale_warning: When a case is marked as about to be stale (`staleWarning`); the unit is disputed likewise.
        feedback_delay: How long after closing the customer is asked for feedback; the unit is not public.
        feedback_frequency: How often a customer is asked at most; the unit is not public.
        feedback_sample: How many of the customers are asked, in percent.
        feedback_template_id: The template that asks for feedback.
        reply_template_id: The template of replies.
        note_template_id: The template of notes.
        new_case_note_template_id: The template of the note that opens a case.
        template_category: The templates that are offered there.
        footer_html: What stands below its emails.
        phone: Its number.
    """

    id: int
    name: str | None = None
    rep_user_ids: tuple[int, ...] = ()
    all_reps: bool | None = None
    date_created: datetime | None = None
    date_archived: datetime | None = None
    stale: int | None = None
    stale_warning: int | None = None
    feedback_delay: int | None = None
    feedback_frequency: int | None = None
    feedback_sample: int | None = None
    feedback_template_id: int | None = None
    reply_template_id: int | None = None
    note_template_id: int | None = None
    new_case_note_template_id: int | None = None
    template_category: str | None = None
    footer_html: str | None = None
    phone: str | None = None
