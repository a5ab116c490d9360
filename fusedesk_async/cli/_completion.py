"""`fusedesk completion`: teach the shell the commands, options and names."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


_PLACES = """\b
bash: fusedesk completion bash >> ~/.bashrc
zsh:  fusedesk completion zsh >> ~/.zshrc
fish: fusedesk completion fish > ~/.config/fish/completions/fusedesk.fish"""


@click.command(short_help="Print what teaches your shell to complete.", epilog=_PLACES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete commands, options, and the names of departments, reps and tags.

    Names are asked for with FUSEDESK_API_KEY, if it is set, and kept for ten minutes in the user's cache folder.
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "fusedesk", "_FUSEDESK_COMPLETE").source())
