"""What people write to a help desk about, and what comes back.

Braces are filled in by `_texts`: order, amount, product, day, company, rep.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One kind of trouble: subject lines, openings, details, questions, an answer and an internal note."""

    subjects: tuple[str, ...]
    openings: tuple[str, ...]
    details: tuple[str, ...]
    questions: tuple[str, ...]
    answer: str
    note: str


TOPICS = (
    Topic(
        subjects=(
            "Can't log in since {day}",
            "Password reset email never arrives",
            "Locked out of my account",
        ),
        openings=(
            ("I have been trying to log in to {product} since {day} and every time the page just reloads."),
            ("My password stopped working on {day}. I asked for a reset link three times and none of them came."),
        ),
        details=(
            (
                "I checked the spam folder and also asked our IT person here to look at the mail server, nothing "
                "there either. With another browser it is the same, and my colleague can log in from the same "
                "office."
            ),
            (
                'The page says "unknown user", but the invoice from last month went to exactly this address. On '
                "the phone I am still logged in, so the account must exist. I have attached nothing because the "
                "error is only this one line."
            ),
        ),
        questions=(
            "Could you reset it by hand?",
            "Can you tell me which address the account is under?",
        ),
        answer=(
            "I have sent you a fresh link by hand and cleared the lock on the account. The link is good for 24 "
            "hours; please open it in a private window first. If it lands in spam again, tell me and I will set a "
            "temporary password."
        ),
        note="Account was locked after 10 failed tries. Unlocked, reset link sent manually.",
    ),
    Topic(
        subjects=(
            "Charged twice for order {order}",
            "Question about invoice {order}",
            "Wrong amount on invoice {order}",
        ),
        openings=(
            "My card statement shows two charges of ${amount} for order {order}, both from {day}.",
            (
                "We received invoice {order} today and the amount (${amount}) does not match what we agreed on for "
                "{product}."
            ),
        ),
        details=(
            (
                "Here is what I see:\n\n\tItem\tQty\tPrice\n\t{product}\t1\t${amount}\n\t{product}\t1\t"
                "${amount}\n\nWe only ordered it once. My accountant needs the corrected invoice before the end of "
                "the month."
            ),
            (
                "We are a registered charity and should have the reduced rate. It was right on all invoices until "
                "this spring, so I guess something changed when we moved to the new plan. The VAT number is "
                "missing on it too."
            ),
        ),
        questions=(
            "Please refund the second one.",
            "Could you send a corrected invoice to this address?",
        ),
        answer=(
            "You are right, the second charge was a duplicate and I have refunded it just now; depending on the "
            "bank it takes three to five working days to show up. A corrected invoice for {order} is on its way to "
            "you."
        ),
        note="Duplicate charge confirmed in the gateway, refunded ${amount}. Watch for the next renewal.",
    ),
    Topic(
        subjects=(
            "Where is my order {order}?",
            "Parcel {order} not arrived",
            "Tracking stuck for {order}",
        ),
        openings=(
            "I ordered {product} on {day} and the tracking has not moved since then.",
            ("According to the carrier, parcel {order} was delivered on {day}, but nobody here has seen it."),
        ),
        details=(
            (
                "I asked both neighbours and looked in the parcel room. The photo in the carrier's app shows a "
                "door that is not ours, ours is green. It is meant as a present, so I am getting a little nervous 😬"
            ),
            (
                'The last entry says "in transit to next facility". I called the carrier, waited forty minutes, '
                "and they told me that only the sender can open an inquiry."
            ),
        ),
        questions=(
            "Can you check what is going on?",
            "Would you send a replacement?",
        ),
        answer=(
            "I am sorry about that. I have opened an inquiry with the carrier (they answer within two working "
            "days) and, so that you do not have to wait for it, sent a replacement with express delivery this "
            "afternoon."
        ),
        note="Carrier inquiry opened, replacement sent at our cost.",
    ),
    Topic(
        subjects=(
            "Please cancel {product}",
            "Cancelling our subscription",
            "How do I stop the renewal?",
        ),
        openings=(
            "I would like to cancel {product} before it renews.",
            "We have decided not to go on with {product} after this term.",
        ),
        details=(
            (
                "It has nothing to do with you, the team was lovely. We are simply closing that part of the "
                "business and will not need it from next month on. I could not find a button for it in the account "
                "settings."
            ),
            (
                "The confirmation mail from {day} says that the next payment of ${amount} is due in a week, so I "
                "am writing in good time. If there is a form to fill in, please send it to me."
            ),
        ),
        questions=(
            "Please confirm that nothing more will be charged.",
            "Will I keep access until the end of the paid time?",
        ),
        answer=(
            "I have switched off the renewal: there will be no further charge, and you keep access until the end "
            "of the term you have paid for. Should you change your mind, answering this mail is enough."
        ),
        note="Renewal off. Reason: closing the business line. No win-back mails, please.",
    ),
    Topic(
        subjects=(
            "Webhook stopped firing",
            "Integration broken since the update",
            "500 error when syncing contacts",
        ),
        openings=(
            "Since the update on {day} our integration gets an error for about every third call.",
            "The sync between {product} and our CRM stopped on {day} around 14:00.",
        ),
        details=(
            (
                "This is what the log says:\n\n\t14:02:11\tPOST /hooks/contact\t500\n\t14:02:41\tPOST "
                "/hooks/contact\t500\n\t14:03:41\tgiving up\n\nNothing changed on our side. I turned the "
                "integration off and on again and created a new key, with the same result."
            ),
            (
                "About 140 contacts are missing by now, and our sales people have started to copy them by hand, "
                "which is how we noticed. I can give you the ids if that helps; they are all from forms with an "
                '"ß" or an umlaut in the name.'
            ),
        ),
        questions=(
            "Is this known?",
            "Can you replay the events that were lost?",
        ),
        answer=(
            "Thank you for the log, it showed us the cause: names with special characters were cut in the middle. "
            "A fix went live an hour ago and I have replayed all events since {day}. Please have a look whether "
            "everything is there now."
        ),
        note=("Known bug, fixed in today's release. Events replayed. Customer is technical, can be given details."),
    ),
    Topic(
        subjects=(
            "Upgrade to a bigger plan",
            "Quote for {company}",
            "Question before we buy",
        ),
        openings=(
            ("We are looking at {product} for about twenty people and have a few questions before we decide."),
            (
                "A friend recommended you. I looked at the pricing page but could not work out what {product} "
                "would cost for us."
            ),
        ),
        details=(
            (
                "1) Can we pay by invoice?\n2) Is there a discount for non-profits?\n3) How long does the move of "
                "our old data take?\n\nWe would like to start at the beginning of next month if we can."
            ),
            (
                "At the moment we use spreadsheets and a shared mailbox, and things get lost. The most important "
                "point for us is that part-time people can log in too without each of them costing the full price."
            ),
        ),
        questions=(
            "Could somebody call me?",
            "Would you send a quote?",
        ),
        answer=(
            "With pleasure: payment by invoice is fine from ten seats on, non-profits get 20 %, and moving the "
            "data usually takes two days. I have attached a quote over ${amount} and kept a slot for a call free "
            "for you on {day}."
        ),
        note="Warm lead, 20 seats, decides this month. Quote sent over ${amount}.",
    ),
    Topic(
        subjects=(
            "Idea: dark mode",
            "Feature request",
            "Small thing that would help us a lot",
        ),
        openings=(
            "We use {product} every day and like it a lot. One thing would make our life easier.",
            "Not urgent at all, just a wish from our team meeting on {day}.",
        ),
        details=(
            (
                "When I close a list and come back, the sorting is gone and I have to set it again. With some 300 "
                "rows and ten visits a day that adds up. If it remembered the last order, that would be perfect."
            ),
            (
                "It would be great to have an export that keeps the line breaks. At the moment I copy the texts "
                "one by one, because in the CSV everything is on one line and the umlauts (ä, ö, ü) look funny in "
                "Excel."
            ),
        ),
        questions=(
            "Is something like this planned?",
            "Thanks for considering it 🙏",
        ),
        answer=(
            "Thank you for writing this down so clearly. It is on our list, and your mail has moved it up a bit; I "
            "cannot promise a date, but I have linked your case and will tell you as soon as it is out."
        ),
        note="Added vote to the feature list.",
    ),
    Topic(
        subjects=(
            "Change of address",
            "New contact person at {company}",
            "Please update our details",
        ),
        openings=(
            "We have moved! Please use the new address for everything from now on.",
            "I am taking over from my colleague, who left on {day}.",
        ),
        details=(
            (
                "{company}\nLindenstraße 14, 2nd floor\n10969 Berlin\n\nThe phone number stays the same. Invoices "
                "may go on going to accounting."
            ),
            (
                "Please take the old address off all lists and put mine in its place. I also need access to "
                "{product}, ideally with the same rights, since I have the audit next week."
            ),
        ),
        questions=(
            "Thank you!",
            "Do you need anything in writing for this?",
        ),
        answer=(
            "All done: the new details are in the account and on the next invoice. You will get an invitation to "
            "{product} in a minute; the old login has been switched off."
        ),
        note="Details changed, old login disabled after a call back to the known number.",
    ),
)
