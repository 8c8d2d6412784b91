"""How long the tests of this folder search: briefly and always alike, or long and at random."""

import os

from hypothesis import HealthCheck, settings

_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def examples(count: int) -> settings:
    """Return settings for so many examples; with ``HYPOTHESIS_PROFILE=long``, fifty times more."""
    return settings(
        max_examples=count * 50 if _LONG else count,
        derandomize=not _LONG,
        deadline=None,
        # A fixture here is a folder or a bundle, which one example leaves to the next as it was.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
