"""The command line `fusedesk`; needs `pip install "fusedesk_async[cli]"`."""

import sys

from fusedesk_async.cli._exit import Exit

__all__ = ["main"]

_PACKAGES = frozenset({"click", "rich"})


def main() -> None:
    """Run the command line; never returns."""
    from fusedesk_async.cli._streams import prepare  # noqa: PLC0415 - part of running, not of importing

    prepare()
    try:
        from fusedesk_async.cli._program import carry_out  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _PACKAGES:
            raise
        print(
            'fusedesk: the command line needs more packages: pip install "fusedesk_async[cli]"',
            file=sys.stderr,
        )
        sys.exit(Exit.CONFIGURATION)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    carry_out()
