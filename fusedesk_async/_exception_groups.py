"""What a task group raises, as callers expect it: without a group around it."""

from typing import cast


def first_of(failure: BaseException) -> BaseException:
    """A failure itself; of a group, however deeply nested, the first failure that is not a group."""
    while isinstance(failure, BaseExceptionGroup):
        failure = cast("BaseExceptionGroup[BaseException]", failure).exceptions[0]
    return failure
