"""How sure it is that a case is the one that was asked for."""

from enum import IntEnum


class Verdict(IntEnum):
    """Whether a case is the one."""

    OTHER = 0
    DOUBTFUL = 1
    SAME = 2
