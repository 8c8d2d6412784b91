import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.errors import SamplerError
from vampprompt.samplers.schedules import SCHEDULES, cosine, linear, square, still_masked


def shares(schedule, steps, n_masked=10**6):
    return [counts[0] / n_masked for counts in still_masked(schedule, steps, [n_masked])]


@pytest.mark.parametrize("schedule", SCHEDULES.values())
def test_schedules_run_from_all_to_nothing(schedule):
    run = shares(schedule, 50)
    assert (np.diff(run) < 0).all()
    assert run[0] == 1 > run[1] > 0.97
    assert run[-1] == 0


def test_values():
    assert shares(linear, 4) == [1, 0.75, 0.5, 0.25, 0]
    assert shares(square, 4) == [1, 0.9375, 0.75, 0.4375, 0]
    assert shares(cosine, 2)[1] == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_float32_decides():
    # In float64 cos(pi / 3) is a little above a half, in float32 a little below.
    assert still_masked(cosine, 3, [94, 0]) == [[94, 0], [81, 0], [46, 0], [0, 0]]


def test_functions_of_python_floats_are_schedules_too():
    run = shares(lambda progress: math.exp(-5 * progress), 10)
    assert run[-2] == pytest.approx(math.exp(-4.5), abs=1e-6)


def test_a_schedule_must_return_numbers():
    with pytest.raises(SamplerError, match=r"schedule returns nan at progress 0\.5"):
        shares(lambda progress: torch.tensor(torch.nan), 2)


@given(
    steps=st.integers(1, 60),
    n_masked=st.lists(st.integers(0, 3000), min_size=1, max_size=3),
    schedule=st.sampled_from([*SCHEDULES.values(), lambda r: 0.5, lambda r: r, lambda r: -r]),
)
def test_each_step_settles_some_and_leaves_some(steps, n_masked, schedule):
    counts = still_masked(schedule, steps, n_masked)
    assert len(counts) == steps + 1
    assert counts[0] == n_masked
    assert counts[-1] == [0] * len(n_masked)
    for before, after in pairwise(counts[:-1]):
        for was, left in zip(before, after, strict=True):
            assert left == was if was < 2 else 1 <= left < was
