"""The first failure of a group."""

from fusedesk_async._background import first_of


def test_the_first_failure_of_a_group_is_found_however_deeply_it_is_nested():
    first, second = ValueError("first"), KeyError("second")
    inner = ExceptionGroup("inner", [first, second])
    assert first_of(inner) is first
    assert first_of(ExceptionGroup("outer", [ExceptionGroup("middle", [inner]), second])) is first
    assert first_of(BaseExceptionGroup("outer", [KeyboardInterrupt(), inner])).args == ()


def test_a_failure_without_a_group_is_itself():
    failure = ValueError()
    assert first_of(failure) is failure
