"""What holds for a server that nobody has described: a diagnosis that reads, and a report of it for others.

    from fusedesk_async.diagnosis import diagnose

    async with FuseDesk("acme", api_key=key) as desk:
        diagnosis = await diagnose(desk)

A report holds names, shapes, counts and types; never a value of a customer, an id, an address, the app or the key.
"""

from fusedesk_async.diagnosis._diagnose import OnFinding, PlannedCall, diagnose, plan
from fusedesk_async.diagnosis._finding import Diagnosis, Finding, Verdict

__all__ = ["Diagnosis", "Finding", "OnFinding", "PlannedCall", "Verdict", "diagnose", "plan"]
