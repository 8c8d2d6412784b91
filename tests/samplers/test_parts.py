"""What samplers are made of: filters and schedules."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.errors import SamplerError
from vampprompt.samplers.filters import MinP, Temperature, TopK, TopP, Typical
from vampprompt.samplers.schedules import SCHEDULES, cosine, linear, square, still_masked

REFERENCE = Path(__file__).parent.parent / "data" / "reference" / "samplers.npz"
NAMES = {"typical": Typical, "top_p": TopP, "top_k": TopK, "min_p": MinP}
FILTERS = [Temperature(0.7), TopK(10), TopP(0.5), TopP(1.0), MinP(0.1), Typical(0.3, 5), Typical()]


def reference():
    arrays = np.load(REFERENCE)
    for key in arrays.files:
        for name, filter_ in NAMES.items():
            if key.startswith(name):
                settings = [
                    float(s) if "." in s else int(s) for s in key[len(name) + 1 :].split("_")
                ]
                yield pytest.param(filter_(*settings), arrays["logits"], arrays[key], id=key)


def some_logits(*shape):
    return 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("keep_likely", "logits", "kept"), [*reference()])
def test_keeps_the_tokens_that_transformers_keeps(keep_likely, logits, kept):
    filtered = keep_likely(torch.from_numpy(logits)).numpy()
    assert (np.isfinite(filtered) == kept).all()
    assert (filtered[kept] == logits[kept]).all()


@pytest.mark.parametrize("keep_likely", FILTERS, ids=str)
def test_takes_any_leading_axes_and_leaves_its_input_alone(keep_likely):
    logits = some_logits(3, 4, 90)
    given = logits.clone()
    filtered = keep_likely(logits)
    assert torch.equal(logits, given)
    assert filtered.isfinite().any(-1).all()
    assert torch.equal(filtered[1, 2], keep_likely(logits[1, 2]))


@pytest.mark.parametrize("second", FILTERS, ids=str)
@pytest.mark.parametrize("first", [TopK(3), TopP(0.1), Typical(0.1, 1)], ids=str)
def test_filters_chain(first, second):
    once = first(some_logits(20, 90))
    twice = second(once)
    assert (twice.isfinite() <= once.isfinite()).all()
    assert twice.isfinite().any(-1).all()
    assert not twice.isnan().any()


def test_typical_can_drop_the_likeliest_token():
    probability = torch.tensor([0.4, *[0.06] * 10])
    kept = Typical(0.15, 1)(probability.log()).isfinite()
    assert not kept[0]


@pytest.mark.parametrize("everything", [Typical(1.0), TopP(1.0), TopK(1000), Typical(0.1, 90)])
def test_filters_that_keep_everything(everything):
    logits = some_logits(20, 90)
    assert torch.equal(everything(logits), logits)


def test_typical_mass_just_below_one():
    # Rounding may keep the cumulated probability below the mass to the very end.
    assert Typical(1 - 1e-9, 1)(some_logits(50, 1024)).isfinite().float().mean() > 0.99


def test_top_k_keeps_ties():
    assert TopK(2)(torch.tensor([1.0, 3.0, 2.0, 2.0])).isfinite().tolist() == [0, 1, 1, 1]


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
