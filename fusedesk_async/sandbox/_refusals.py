"""How the desk says no: the status, the code and the text of an error answer."""


class Refused(Exception):  # noqa: N818 - a regular answer, raised to leave an endpoint early
    """The call is refused.

    Args:
        status: of the answer.
        code: its `errorcode`. Only `api_error_noscope` is known (PM); all other codes here are assumed.
        text: its `error`.
    """

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(status, code, text)
        self.status = status
        self.code = code
        self.text = text


def bad_key() -> Refused:
    """No key or an unknown one (S1)."""
    return Refused(401, "api_error_badkey", "Invalid API Key")


def no_scope() -> Refused:
    """The key may not do this (S1; code and text from PM)."""
    return Refused(403, "api_error_noscope", "Not Authorized")


def not_found(what: str) -> Refused:
    """No such path (S1) or object (PM)."""
    return Refused(404, "api_error_notfound", f"{what} not found")


def refuse(text: str) -> Refused:
    """FuseDesk's catch-all for everything else: 405 (S1)."""
    return Refused(405, "api_error_invalid", text)


def over_limit() -> Refused:
    """The hour is used up (S1)."""
    return Refused(429, "api_error_ratelimit", "API call limit exceeded")
