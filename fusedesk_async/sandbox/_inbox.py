"""What is outside of cases: mails that belong to none, chats that are going on, webhooks; made up from the seed.

No source shows the members of such a mail, nor those of a chat's messages: that they are named so is assumed.
"""

from typing import Any

from ._calendar import iso
from ._contacts import Contact, Contacts
from ._directory import Department, Rep
from ._history import DESK, Item
from ._texts import Dice, Letter, mix

Json = dict[str, Any]
_MAILS, _CHATS = 37, 9
_NO_CASE = 1 << 40  # letters of numbers above this are about no case


def make_mails(seed: int, contacts: Contacts, ends: int) -> dict[str, Item]:
    """Mails nobody has put into a case, newest first, with ids that are text."""
    mails = (_mail(seed, index, contacts, ends) for index in range(_MAILS))
    return {mail["id"]: mail for mail in mails}


def _mail(seed: int, index: int, contacts: Contacts, ends: int) -> Item:
    contact, letter = _contact_and_letter(seed, index, contacts)
    sent = ends - 1800 * index - mix(seed, index, 7) % 1500
    body = letter.mail or letter.follow_up
    return {
        "id": f"m{1000 + index}",
        "from": f"{contact.name} <{contact.email}>" if index % 3 else contact.email,
        "to": DESK,
        "cc": False,
        "bcc": "",
        "subject": letter.subject,
        "body": body,
        "html": f"<p>{body}</p>" if index % 2 else None,
        "date_sent": iso(sent),
        "date_recvd": iso(sent + 40),
        "repid": "",
    }


def make_chats(
    seed: int,
    contacts: Contacts,
    reps: dict[int, Rep],
    departments: dict[int, Department],
    *,
    cases: int,
    ends: int,
) -> dict[str, Json]:
    """Chats that are going on, as the API writes them, each with its messages."""
    desks = [(department, user) for department in departments.values() for user in department.reps]
    chats: dict[str, Json] = {}
    for index in range(_CHATS):
        department, user = desks[mix(seed, index, 8) % len(desks)]
        case = 1 + mix(seed, index, 9) % cases if cases and index % 3 else None
        chat = _chat(seed, index, contacts) | {"caseId": case, "departmentId": department.id, "repId": user}
        chats[f"c{200 + index}"] = chat | _messages(seed, index, contacts, reps[user], ends)
    return chats


def _chat(seed: int, index: int, contacts: Contacts) -> Json:
    contact, letter = _contact_and_letter(seed, _MAILS + index, contacts)
    return {
        "id": f"c{200 + index}",
        "title": letter.subject,
        "clientName": contact.name,
        "contactUuid": contact.uuid,
        "contactId": str(contact.crm_id),
        "platform": "livechat",
        "noteId": None,
        "unseen": str(index % 3),
        "isArchived": False,
        "dateClosed": False,
    }


def _messages(seed: int, index: int, contacts: Contacts, rep: Rep, ends: int) -> Json:
    contact, letter = _contact_and_letter(seed, _MAILS + index, contacts)
    begun = ends - 240 * (index + 1)
    said = [(contact.name, letter.subject), (rep.name, f"Hi {contact.first_name}, one moment please.")]
    said += [(contact.name, letter.follow_up)] if index % 2 else []
    messages = [
        {"id": str(10 * index + number), "sender": sender, "message": text, "date": iso(begun + 50 * number)}
        for number, (sender, text) in enumerate(said)
    ]
    return {
        "messages": messages,
        "lastMessage": messages[-1]["message"],
        "lastMessageSender": messages[-1]["sender"],
        "dateCreated": iso(begun),
        "dateLastMessage": messages[-1]["date"],
        "dateLastMessageReceived": messages[2 if index % 2 else 0]["date"],
        "dateLastResponse": messages[1]["date"],
    }


def make_webhooks() -> dict[str, Json]:
    """Webhooks by id; which words the API knows is not public."""
    return {
        "w1": {"id": "w1", "url": "https://hooks.desk.example/opened", "objectType": "case", "action": "created"},
        "w2": {"id": "w2", "url": "https://hooks.desk.example/closed", "objectType": "case", "action": "closed"},
    }


def _contact_and_letter(seed: int, index: int, contacts: Contacts) -> tuple[Contact, Letter]:
    contact = contacts.at_first(Dice(mix(seed, index, 10)).choice(contacts.ids))
    return contact, Letter(seed, _NO_CASE + index, contact.name, contact.company, contact.email)
