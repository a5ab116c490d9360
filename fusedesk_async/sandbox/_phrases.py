"""The small change of letters: greetings, closings, one-line mails. Braces are filled in by `_texts`."""

PRODUCTS = (
    "the Starter plan",
    "the Pro plan",
    "the spring workshop",
    "the member area",
    "the print bundle",
    "our team licence",
)
SHORT_MAILS = (
    "Hi, any news on this?",
    "Please call me back, it is urgent.",
    "It happened again this morning. Same error.",
    "THIS IS THE THIRD TIME I WRITE. Order {order}!!",
    "Thanks 👍",
    "Wie kann ich {order} stornieren? Grüße",
)
GREETINGS = ("Hi,", "Hello,", "Hello there,", "Dear support team,", "Hi team,", "Good morning,", "Guten Tag,")
CLOSINGS = ("Best regards", "Thanks in advance", "Kind regards", "Cheers", "Many thanks", "Viele Grüße", "Best")
FOOTERS = ("", "", "", "\n\nSent from my iPhone", "\n\n--\n{company}", "\n\nTel. +1 555 01{digits}")
FEEDBACK = ("Quick and friendly, thank you!", "Took a while, but solved.", "Had to ask twice.", "Perfekt, danke 😊", "")
