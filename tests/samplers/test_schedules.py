import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.errors import SamplerError
from vampprompt.samplers.schedules import SCHEDULES, cosine, linear, shares, square, still_masked


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_schedules_run_from_all_to_nothing(schedule):
    run = shares(schedule, 50)
    assert run.dtype == np.float32
    assert (np.diff(run) < 0).all()
    assert 0.97 < run[0] < 1
    assert abs(run[-1]) < 1e-6


def test_values():
    assert shares(linear, 4).tolist() == [0.75, 0.5, 0.25, 0]
    assert shares(square, 4).tolist() == [0.9375, 0.75, 0.4375, 0]
    assert shares(cosine, 2)[0] == pytest.approx(math.sqrt(0.5))


def test_float32_decides():
    # In float64 cos(pi / 3) is a little above a half, in float32 a little below.
    assert still_masked(shares(cosine, 3), 94) == [81, 46, 0]


def test_functions_of_python_floats_are_schedules_too():
    run = shares(lambda progress: math.exp(-5 * progress), 10)
    assert run[-1] == pytest.approx(math.exp(-5))


def test_a_schedule_must_return_numbers():
    with pytest.raises(SamplerError, match=r"schedule returns nan at progress 0\.5"):
        shares(lambda progress: torch.tensor(torch.nan), 2)


@given(
    steps=st.integers(1, 60),
    n_masked=st.integers(0, 3000),
    schedule=st.sampled_from([*SCHEDULES.values(), lambda r: 0.5, lambda r: r, lambda r: -r]),
)
def test_each_step_settles_some_and_leaves_some(steps, n_masked, schedule):
    counts = still_masked(shares(schedule, steps), n_masked)
    assert len(counts) == steps
    assert counts[-1] == 0
    for before, after in zip([n_masked, *counts], counts[:-1], strict=False):
        if before > 1:
            assert 1 <= after < before
        else:
            assert after == before
