"""What every test shares: no window, no deadline, and no compiled program kept longer than its module."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import jax
import matplotlib
import pytest

matplotlib.use("Agg")

# The first example of a test compiles, so its time says nothing; on CI the same examples are drawn every time.
hypothesis.settings.register_profile("sciml", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("sciml")


@pytest.fixture(scope="module", autouse=True)
def _release_compiled_programs() -> Iterator[None]:
    """Compiled programs stay in memory until their cache is cleared: gigabytes over a whole suite."""
    yield
    jax.clear_caches()
