"""What tests of diagnoses share."""

import pytest

from fusedesk_async.sandbox import FixedHour, Sandbox


@pytest.fixture
def sandbox(clock) -> Sandbox:
    return Sandbox(1_200, limit=FixedHour(1_800), clock=clock)


@pytest.fixture
def found():
    """The findings of a diagnosis by name, each as its verdict and its value."""

    def found(diagnosis):
        return {each.name: (each.verdict, each.value) for each in diagnosis.findings}

    return found
