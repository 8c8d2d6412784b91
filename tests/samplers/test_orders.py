"""The order in which each sampler settles tokens, and its trace."""

import itertools

import numpy as np
import pytest
import torch

from tests.samplers.fakes import NeighbourModel, fill, generators, keep_for, tokens_for
from vampprompt.errors import SamplerError
from vampprompt.samplers import Blocks, Codebooks, Confidence, Halton, RandomOrder, fewer_steps
from vampprompt.samplers.orders import halton_places
from vampprompt.samplers.trace import Trace, plot, settling_steps


def settled(sampler, model=None, n_frames=24, keep=None, seed=1):
    """The step in which each token settled, ``[codebook, frame]``; -1 where it was kept."""
    model = model or NeighbourModel()
    tokens = tokens_for(model, n_frames=n_frames)
    keep = torch.zeros_like(tokens, dtype=torch.bool) if keep is None else keep
    trace = Trace()
    sampler(model, tokens, keep, generators(seed), trace)
    steps = settling_steps(trace)
    steps[keep[0].numpy()] = -1
    steps[: model.n_conditioning] = -1
    return steps


def test_random_order_is_uniform_and_differs_by_seed():
    runs = np.stack([settled(RandomOrder(steps=8), seed=seed) for seed in range(40)])
    assert len(np.unique(runs, axis=0)) == 40
    # 40 draws of a step between 0 and 7; a place that always came early would show.
    assert abs(runs.mean(0) - runs.mean()).max() < 5 * runs.std() / np.sqrt(40)


def test_halton_order_is_that_of_the_sequence():
    steps = settled(Halton(steps=96, schedule="linear"))
    in_order = steps.flatten()[halton_places(4, 24).flatten().argsort()]
    assert (np.diff(in_order) >= 0).all()
    assert len(np.unique(in_order)) > 90


def test_halton_order_skips_what_is_kept():
    tokens = tokens_for(NeighbourModel(), n_frames=24)
    keep = keep_for(tokens, 0.5)
    masked = ~keep[0].numpy()
    steps = settled(Halton(steps=5, schedule="linear"), keep=keep)
    in_order = steps[masked][halton_places(4, 24)[masked].argsort()]
    assert (np.diff(in_order) >= 0).all()
    assert np.ptp(np.bincount(in_order)) <= 1


@pytest.mark.parametrize("shape", [(1, 1), (4, 574), (10, 173), (14, 1), (1, 100)])
def test_halton_places_are_an_order(shape):
    places = halton_places(*shape)
    assert places.shape == shape
    assert sorted(places.flatten().tolist()) == list(range(places.numel()))


def test_halton_spreads_tokens_evenly():
    first = halton_places(4, 512) < 64
    assert (first.reshape(4, 16, 32).sum((0, 2)) == 4).all()
    assert (abs(first.sum(1) - 16) <= 2).all()


def test_blocks_are_filled_from_left_to_right():
    steps = settled(Blocks(steps=12, blocks=4))
    blocks = steps.reshape(4, 4, 6)
    for block in range(4):
        inside = blocks[:, block]
        assert (inside // 3 == block).all()
        assert len(np.unique(inside)) == 3


def test_blocks_share_out_what_is_masked():
    keep = torch.zeros(1, 4, 24, dtype=torch.bool)
    keep[..., :16] = True
    steps = settled(Blocks(steps=4, blocks=4), keep=keep)
    assert (steps[:, 16:] == np.repeat([0, 1, 2, 3], 2)).all()


@pytest.mark.parametrize(("steps", "blocks"), [(1, 6), (7, 3), (36, 6), (5, 50), (50, 30)])
def test_blocks_share_out_the_steps(steps, blocks):
    shares = Blocks(steps=steps, blocks=blocks).stage_steps(4)
    assert sum(shares) == steps
    assert len(shares) == min(steps, blocks)
    assert max(shares) - min(shares) <= 1


def test_codebooks_are_filled_coarsest_first():
    sampler = Codebooks(steps=(5, 3, 1))
    assert sampler.stage_steps(4) == (5, 3, 1, 1)
    assert sampler.stage_steps(2) == (5, 3)
    assert sampler.total(10) == 16
    steps = settled(sampler)
    wanted = [range(5), range(5, 8), [8], [9]]
    assert [sorted(set(row)) for row in steps] == [list(each) for each in wanted]


@pytest.mark.parametrize(
    ("steps", "n_codebooks", "each"),
    [
        (12, 4, (6, 3, 2, 1)),
        (12, 5, (5, 3, 2, 1, 1)),
        (12, 10, (3, 1, 1, 1, 1, 1, 1, 1, 1, 1)),
        (36, 4, (19, 9, 5, 3)),
        (7, 1, (7,)),
        (2, 4, (1, 1, 1, 1)),
    ],
)
def test_steps_in_all_are_shared_out_among_codebooks(steps, n_codebooks, each):
    sampler = Codebooks(steps=steps)
    assert sampler.stage_steps(n_codebooks) == each
    assert sampler.total(n_codebooks) == max(steps, n_codebooks)


@pytest.mark.parametrize(
    ("steps", "fewer"), [((16, 8, 4, 2, 1), 12), ((8, 3, 1), (8, 3, 1)), (13, 12), (9, 9)]
)
def test_fewer_steps_counts_those_of_all_codebooks(steps, fewer):
    assert fewer_steps(Codebooks(steps=steps), 12) == Codebooks(steps=fewer)


def test_codebooks_of_a_fine_model_begin_behind_the_conditioning():
    model = NeighbourModel(n_codebooks=7, n_conditioning=4)
    steps = settled(Codebooks(steps=1), model)
    assert (steps == np.array([-1, -1, -1, -1, 0, 1, 2])[:, None]).all()


def test_passes_with_nothing_to_sample_cost_nothing():
    model = NeighbourModel()
    tokens = tokens_for(model)
    keep = torch.ones_like(tokens, dtype=torch.bool)
    keep[:, 2, 3:] = False
    Codebooks(steps=[3])(model, tokens, keep, generators(1))
    assert model.asked == 3


def test_confidence_without_noise_settles_the_surest_first():
    # The surest tokens of each step settle; with much noise any may.
    def agreement(mask_temperature):
        model, steps = NeighbourModel(), []
        sampler = Confidence(steps=2, mask_temperature=mask_temperature, filters=())
        fill(sampler, model, n_frames=200, on_step=steps.append)
        first = steps[0]
        masked = torch.full_like(first.tokens, model.mask_token)
        log_probability = model.logits(masked).log_softmax(-1)
        return log_probability[0].amax(-1)[~first.masked[0]].mean()

    assert agreement(0) > agreement(100) + 0.1


def test_orders_differ():
    orders = [Confidence(steps=9), RandomOrder(steps=9), Halton(steps=9), Blocks(steps=9)]
    for one, other in itertools.combinations(map(settled, orders), 2):
        assert (one != other).any()


def record(sampler):
    model, trace = NeighbourModel(), Trace()
    tokens = tokens_for(model, n_batch=2)
    keep = keep_for(tokens)
    return trace, keep, sampler(model, tokens, keep, generators(1, 2), trace)


def test_records_every_step():
    trace, keep, filled = record(Confidence(steps=5))
    assert len(trace.tokens) == len(trace.masked) == len(trace.confidence) == 5
    assert (trace.tokens[-1] == filled.numpy()).all()
    steps = settling_steps(trace, item=1)
    assert steps.shape == (4, 20)
    assert set(np.unique(steps)) == set(range(5))
    assert (steps[keep[1].numpy()] == 0).all()


@pytest.mark.parametrize("sampler", [Confidence(steps=3), RandomOrder(steps=3)], ids=str)
def test_saves_and_loads(tmp_path, sampler):
    trace, _, _ = record(sampler)
    trace.save(tmp_path / "trace.npz")
    again = Trace.load(tmp_path / "trace.npz")
    for name in ("tokens", "masked", "confidence"):
        assert np.array_equal(np.array(getattr(again, name)), np.array(getattr(trace, name)))
    assert bool(again.confidence) == sampler.reports_confidence


def test_one_trace_is_of_one_call():
    trace, _, _ = record(Confidence(steps=3))
    with pytest.raises(SamplerError, match="step 0 cannot follow 3 recorded steps"):
        fill(Confidence(steps=3), NeighbourModel(), on_step=trace)


def test_draws_when_each_token_settled():
    pytest.importorskip("matplotlib")
    trace, keep, _ = record(Confidence(steps=5))
    drawn = plot(trace, keep=keep[0].numpy()).axes[0].images[0].get_array()
    assert (np.ma.getmaskarray(drawn) == keep[0].numpy()).all()
    assert (drawn[~drawn.mask] == settling_steps(trace)[~drawn.mask]).all()
