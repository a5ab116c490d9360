"""Which permission of the key a call wants.

Six names are public: `cases`, `cases_create`, `cases_update`, `departments`, `reps` and `integrations` (FuseDesk's own
plugin). Which call needs which is not documented: the map below is inferred from the
names, except that the list of integrations needs `integrations` (the plugin says so). More scopes must exist, for
emails, contacts, chats, case tags and webhooks; their names are not public.

That a missing scope is refused with 403 is from FuseDesk's overview page (www.fusedesk.com/api), the code
`api_error_noscope` from its plugin.
"""

import re
from collections.abc import Collection, Mapping

from fusedesk_async.errors import ConfigurationError, PermissionDeniedError

# Inferred from the names but for `integrations`; a read of anything else needs a scope whose name is not public.
_READS: Mapping[str, str] = {
    "cases": "cases",
    "departments": "departments",
    "integrations": "integrations",
    "reps": "reps",
}
_KNOWN = frozenset({*_READS.values(), "cases_create", "cases_update"})
_NAME = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_QUOTED = rf"[\"'`]({_NAME})[\"'`]"
_WORD = r"(?i:\b(?:scope|permission)s?\b)"
_NAMED = re.compile(rf"(?i:\bscopes?)\s*[:=]\s*({_NAME})\b|{_WORD}\s*[:=]?\s*{_QUOTED}|{_QUOTED}\s*{_WORD}")
_UNMISTAKABLE = re.compile(rf"\b({'|'.join(sorted(name for name in _KNOWN if '_' in name))})\b")


def likely_scope(method: str, path: str) -> str | None:
    """The scope that a call most likely needs; None if its name is not public.

    Args:
        method: The HTTP method.
        path: Below the API's root, version included: `v1/cases/42`.
    """
    _, kind, *rest = [*path.strip("/").split("/"), ""]
    if method == "GET":
        return _READS.get(kind)
    if kind == "cases":
        return "cases_update" if any(rest) else "cases_create"
    return None


def named_scope(text: str) -> str | None:
    """The scope that a refusal names, if it names one.

    No source shows a refusal that does, so the ways to say it are assumed: `scope: emails`, `the 'emails' permission`,
    or `cases_update` wherever it stands.
    """
    found = _NAMED.search(text) or _UNMISTAKABLE.search(text)
    return next(name for name in found.groups() if name) if found else None


def checked_scopes(needs: Collection[str]) -> frozenset[str]:
    """Scopes that somebody asks for. Names that are not public pass.

    Raises:
        ConfigurationError: It is one text, whose letters would be taken for scopes, or something in it is no name.
    """
    if isinstance(needs, str) or not all(isinstance(name, str) and re.fullmatch(r"\w+", name) for name in needs):
        message = f"needs is a set of scopes, such as {{'cases', 'cases_update'}}, not {needs!r:.80}"
        raise ConfigurationError(message)
    return frozenset(needs)


def require(needs: frozenset[str], granted: frozenset[str]) -> None:
    """Refuse to go on without what is needed.

    Raises:
        PermissionDeniedError: Scopes are missing; all of them are named.
    """
    if missing := tuple(sorted(needs - granted)):
        message = f"the key lacks the scope{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        raise PermissionDeniedError(message, scope=missing[0] if len(missing) == 1 else None, missing=missing)
