"""The work of an export: page after page from the server into an output."""

import attrs

from fusedesk_async import CaseFilters, FuseDesk
from fusedesk_async.cli._failure import CommandError, Ending, as_command_error, say
from fusedesk_async.cli._output import Output
from fusedesk_async.cli._progress import Display, shown
from fusedesk_async.cli._run import run
from fusedesk_async.cli._status import Tally, summary
from fusedesk_async.cli._text import json_line


@attrs.frozen(kw_only=True)
class Download:
    """One export.

    Attributes:
        desk: A client, not yet opened.
        filters: Which cases.
        output: Where they go.
        tally: Counts them.
        display: Shows how far it has come.
    """

    desk: FuseDesk
    filters: CaseFilters
    output: Output
    tally: Tally
    display: Display

    def carry_out(self) -> None:
        """Do it, and say what was done.

        Raises:
            CommandError: It did not come to an end; the message says what is left behind.
        """
        try:
            with self.display:
                run(self._fetch)
            written = self.output.finish()
        except Ending as error:
            reason = as_command_error(error)
            left = self.output.left_behind()
            raise CommandError(f"{reason.message}{left}" if reason.message else "", reason.code) from error
        say(summary(self.tally, written))

    async def _fetch(self) -> None:
        async with (
            self.desk as desk,
            shown(desk, self.tally, self.display),
            desk.cases.walk(**self.filters) as walk,
        ):
            async for page in walk.pages():
                self.tally.add(page)
                self.output.write(json_line(case.source) for case in page.items)
