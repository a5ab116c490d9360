"""Records as the API writes them, under its own names, with every member and the quirks of PHP; and what they mean."""

from datetime import UTC, datetime
from typing import Any

import attrs

from fusedesk_async import CaseTag, Department, Record, Rep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NOON = "2026-03-01T12:00:00Z"


@attrs.frozen
class Sample:
    """A record on the wire and in Python; `least` is the smallest that can be read."""

    wire: dict[str, Any]
    record: Record
    least: dict[str, Any]


SAMPLES = [
    Sample(
        {"id": "7", "tagname": "refund", "hidden": 1, "totalcases": "12"},
        CaseTag(id=7, name="refund", hidden=True, total_cases=12),
        {"id": 7},
    ),
    Sample(
        {
            "id": "268",
            "name": "Billing",
            "repUserIds": [11, "14"],
            "allReps": "0",
            "dateCreated": _NOON,
            "dateArchived": _NOON,
            "stale": "48",
            "staleWarning": 24,
            "feedbackDelay": 1.0,
            "feedbackFrequency": "30",
            "feedbackSample": 50,
            "feedbackTemplateId": "1",
            "replyTemplateId": 2,
            "noteTemplateId": 3,
            "newCaseNoteTemplateId": 4,
            "templateCategory": "Sales",
            "footerHtml": "<p>",
            "phone": 555,
        },
        Department(
            id=268,
            name="Billing",
            rep_user_ids=(11, 14),
            all_reps=False,
            date_created=NOON,
            date_archived=NOON,
            stale=48,
            stale_warning=24,
            feedback_delay=1,
            feedback_frequency=30,
            feedback_sample=50,
            feedback_template_id=1,
            reply_template_id=2,
            note_template_id=3,
            new_case_note_template_id=4,
            template_category="Sales",
            footer_html="<p>",
            phone="555",
        ),
        {"id": 268},
    ),
    Sample(
        {
            "userId": "11",
            "repid": 9000,
            "firstName": "Jo",
            "lastName": "Day",
            "active": "true",
            "isArchived": False,
            "emailAddress": "jo@x.example",
            "username": "jo",
            "avatarUrl": "https://x.example/jo.png",
            "timeZone": "America/New_York",
            "defaultDepartmentId": "268",
            "dateCreated": _NOON,
            "dateUpdated": _NOON,
            "dateLastLogin": _NOON,
        },
        Rep(
            user_id=11,
            rep_record_id=9000,
            first_name="Jo",
            last_name="Day",
            active=True,
            is_archived=False,
            email_address="jo@x.example",
            username="jo",
            avatar_url="https://x.example/jo.png",
            time_zone="America/New_York",
            default_department_id=268,
            date_created=NOON,
            date_updated=NOON,
            date_last_login=NOON,
        ),
        {"userId": 11},
    ),
]
