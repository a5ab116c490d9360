"""`fusedesk completion`: lets the shell complete commands, options and names."""

import json
import os
import re
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal, TypeAlias

import anyio
import click
from click.shell_completion import CompletionItem, get_completion_class

from fusedesk_async import FuseDesk, RetryPolicy
from fusedesk_async.cli._connection import API_KEY_VARIABLE, Connection
from fusedesk_async.cli._text import one_line

Kind: TypeAlias = Literal["departments", "reps", "tags"]
Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

SHELLS = ("bash", "zsh", "fish")
LONGEST_WAIT = 3.0
"""Seconds. A shell that waits longer seems to hang."""
CACHE_SECONDS = 600.0
"""How long names are kept, since each look-up costs a call of the hourly quota."""
_INSTALLATION = """\b
bash: fusedesk completion bash >> ~/.bashrc
zsh:  fusedesk completion zsh >> ~/.zshrc
fish: fusedesk completion fish > ~/.config/fish/completions/fusedesk.fish"""


def names_of(kind: Kind) -> Completer:
    """What completes the names of departments, reps or tags that are in use."""

    def complete(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            app, base_url, auth = (ctx.params.get(name) for name in ("app", "base_url", "auth"))
            names = _names(kind, Connection(app=app or None, base_url=base_url or None, auth=auth or "header"))
            return [CompletionItem(_for_shell(name)) for name in names if _matches(name, typed)]
        return []

    return complete


def _names(kind: Kind, connection: Connection) -> list[str]:
    if not os.environ.get(API_KEY_VARIABLE):
        return []  # the client would prompt for it
    cache_file = _cache_folder() / f"{kind}-{sha256(connection.name.encode()).hexdigest()[:16]}.json"
    with suppress(OSError, ValueError):
        if time.time() - cache_file.stat().st_mtime < CACHE_SECONDS:
            return [str(name) for name in json.loads(cache_file.read_text("utf-8"))]
    names = sorted(set(anyio.run(_fetch, kind, connection)), key=str.casefold)
    with suppress(OSError):
        _write(cache_file, names)
    return names


async def _fetch(kind: Kind, connection: Connection) -> list[str]:
    no_retries = RetryPolicy(stop=lambda _: True, patience=0.0)
    with anyio.fail_after(LONGEST_WAIT):
        async with connection.client() as desk:
            quick = desk.with_options(timeout=LONGEST_WAIT, retry=no_retries, on_rate_limit="raise")
            return [one_line(name) for name in await _in_use(kind, quick) if name]


async def _in_use(kind: Kind, desk: FuseDesk) -> Iterable[str | None]:
    if kind == "departments":
        return [department.name for department in await desk.departments.active()]
    if kind == "tags":
        return [tag.name for tag in await desk.case_tags.all() if not tag.hidden]
    reps = [rep for rep in await desk.reps.all() if rep.active is not False and not rep.is_archived]
    return [" ".join(part for part in (rep.first_name, rep.last_name) if part) for rep in reps]


def _matches(name: str, typed: str) -> bool:
    folded, wanted = name.casefold(), typed.casefold()
    return folded.startswith(wanted) or any(word.startswith(wanted) for word in folded.split())


def _for_shell(name: str) -> str:
    """The name, quoted for bash, which inserts it as it is; the other shells quote by themselves."""
    shell, index = os.environ.get("_FUSEDESK_COMPLETE", ""), int(os.environ.get("COMP_CWORD") or 0)
    word = dict(enumerate(os.environ.get("COMP_WORDS", "").split("\n"))).get(index, "")
    if not shell.startswith("bash") or word.startswith(("'", '"')):
        return name
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", name)


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "fusedesk"


def _write(path: Path, names: list[str]) -> None:
    """Write the names for this user alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        json.dump(names, file)
    Path(file.name).replace(path)


@click.command(short_help="Print a script that makes your shell complete.", epilog=_INSTALLATION)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete commands, options, and the names of departments, reps and tags.

    Names are asked for with FUSEDESK_API_KEY, if it is set, and kept for ten minutes in the user's cache folder.
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "fusedesk", "_FUSEDESK_COMPLETE").source())
