"""What lists, searches and the limiter need of what was found out."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async._wire.profile import ServerProfile
from fusedesk_async.diagnosis._finding import Finding
from fusedesk_async.diagnosis._lists import id_direction
from fusedesk_async.diagnosis._seen import Answers

_NOTHING = {"text": "empty"}
_SAME_NAMES = ("usage_header", "usage_counts", "keeps_date_opened", "date_filter_works")


def profile_of(findings: Mapping[str, Finding], answers: Answers, today: date) -> ServerProfile:
    """The profile that follows from the findings; None for what they leave open."""
    values = {name: found.value for name, found in findings.items() if found.verdict != "cannot tell"}
    known = _order(values, answers)
    known |= {name: values[name] for name in _SAME_NAMES if values.get(name) not in {None, ""}}
    if "no_matches" in values:
        known["nothing"] = _NOTHING.get(values["no_matches"], values["no_matches"])
    if (values.get("largest_limit") or LARGEST_PAGE) < LARGEST_PAGE:
        known["page_limit"] = values["largest_limit"]
    return ServerProfile(**known, learned_on=today) if known else ServerProfile()


def _order(values: Mapping[str, Any], answers: Answers) -> dict[str, Any]:
    """How to ask for the order of ids, how they run then, and whether it sorts downwards."""
    if "orders" not in values:
        return {}
    kept = values["orders"]
    descending = {"descending": "caseid desc" in kept}
    if "caseid asc" in kept:
        return {"order": "caseid asc", "direction": "ascending"} | descending
    if "caseid" in kept:
        return {"order": "caseid", "direction": id_direction(answers["bare"])} | descending
    return {"order": "", "direction": id_direction(answers["default"])} | descending
