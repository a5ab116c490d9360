"""The exit codes of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes; `fusedesk --help` shows `MEANINGS`."""

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
    EMPTY = 12
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


MEANINGS = {
    Exit.FINE: "all went well",
    Exit.ANSWER: "FuseDesk refused the call or its response made no sense, or some cases could not be read",
    Exit.USAGE: "the command was not understood",
    Exit.CONFIGURATION: "app, address, key or permission is missing or wrong, or a package is not installed",
    Exit.NOT_FOUND: "there is no such case",
    Exit.NETWORK: "FuseDesk could not be reached, or it failed",
    Exit.RATE_LIMIT: "the hourly allowance is used up",
    Exit.OUTPUT: "a file cannot be written or read, as when the disk is full",
    Exit.EXISTS: "the output exists already",
    Exit.CHECKPOINT: "the checkpoint or journal of an earlier run belongs to another job, or is corrupt",
    Exit.LOCKED: "another process uses the same output or journal",
    Exit.INCOMPLETE: "some rows were rejected, or it is unknown whether they were opened",
    Exit.EMPTY: "no case came although there should be some; the output was left as it is",
    Exit.INTERRUPTED: "Ctrl-C",
    Exit.CLOSED_PIPE: "the reader closed the pipe, as head does",
    Exit.TERMINATED: "SIGTERM",
}
