"""How the command line tells a script what became of it."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. The lists in `fusedesk --help` are made from `MEANINGS`."""

    FINE = 0
    ANSWER = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_FOUND = 4
    NETWORK = 5
    RATE_LIMIT = 6
    OUTPUT = 7
    EXISTS = 8
    CHECKPOINT = 9
    LOCKED = 10
    INCOMPLETE = 11
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


MEANINGS = {
    Exit.FINE: "all went well",
    Exit.ANSWER: "FuseDesk refused the call or its answer made no sense, or some cases could not be read",
    Exit.USAGE: "the command was not understood",
    Exit.CONFIGURATION: "app, address, key or permission is missing or wrong, or a package is not installed",
    Exit.NOT_FOUND: "there is no such case",
    Exit.NETWORK: "FuseDesk could not be reached, or it failed",
    Exit.RATE_LIMIT: "the hourly allowance is used up",
    Exit.OUTPUT: "a file cannot be written or read, as when the disk is full",
    Exit.EXISTS: "the output exists already",
    Exit.CHECKPOINT: "the checkpoint or journal that an earlier run has left belongs to another job, or is corrupt",
    Exit.LOCKED: "another process is at the same output or journal",
    Exit.INCOMPLETE: "some rows were not imported: rejected, or unknown whether they were opened",
    Exit.INTERRUPTED: "Ctrl-C",
    Exit.CLOSED_PIPE: "whoever read our output has left, as head does",
    Exit.TERMINATED: "SIGTERM",
}
