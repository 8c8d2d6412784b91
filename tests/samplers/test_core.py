"""Sampling itself: which tokens are drawn, and how many settle in each step."""

import pytest
import torch

from tests.samplers.fakes import FixedModel, NeighbourModel, generators, keep_for, tokens_for
from vampprompt.samplers import Confidence, RandomOrder, TopK, TopP, Typical, core


def peaked(vocab_size=40):
    return 2 * torch.randn(vocab_size, generator=torch.Generator().manual_seed(5))


def fill(sampler, model, n_frames=2000, seed=1):
    tokens = tokens_for(model, n_frames=n_frames)
    return sampler(model, tokens, torch.zeros_like(tokens, dtype=torch.bool), generators(seed))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("filters", [(), (TopK(5),), (TopP(0.7),), (Typical(0.3, 3),)], ids=str)
def test_tokens_follow_the_filtered_distribution(temperature, filters):
    logits = peaked()
    wanted = logits / temperature
    for keep_likely in filters:
        wanted = keep_likely(wanted)
    probability = wanted.softmax(-1)
    # In random order: by confidence, likely tokens would settle, and others be drawn again.
    sampler = RandomOrder(steps=3, temperature=temperature, filters=filters)
    drawn = fill(sampler, FixedModel(logits))
    share = drawn.flatten().bincount(minlength=40) / drawn.numel()
    assert (share[probability == 0] == 0).all()
    # Five standard deviations, of 8,000 draws.
    tolerance = 5 * (probability * (1 - probability) / drawn.numel()).sqrt()
    assert ((share - probability).abs() <= tolerance).all()


def test_filters_can_be_any_function():
    banned = torch.tensor([True] * 20 + [False] * 20)
    sampler = Confidence(steps=2, filters=lambda logits: logits.masked_fill(banned, -torch.inf))
    assert (fill(sampler, FixedModel(peaked())) >= 20).all()


def test_the_default_filter_has_effect():
    model = FixedModel(peaked(200))
    kept = Typical()(model._logits).isfinite()
    assert kept.sum() == 64
    drawn = fill(Confidence(steps=2), model).unique()
    assert kept[drawn].all()
    assert not kept[fill(Confidence(steps=2, filters=()), model).unique()].all()


def test_no_draw_lands_beyond_the_last_possible_token():
    # Where rounding carries noise * total to the total, a plain search finds no token at all.
    probability = torch.rand(20_000, 60, generator=torch.Generator().manual_seed(0))
    probability[:, -30:] = 0
    noise = torch.full((len(probability), 1), 1 - 2**-24)
    assert (core._draw(probability, noise) < 30).all()
    assert (core._draw(probability.flip(1), torch.zeros_like(noise) + 1e-38) >= 30).all()


def test_greedy_takes_the_likeliest_whatever_the_seed_and_the_filters():
    logits = torch.tensor([0.4, *[0.06] * 10]).log()
    assert not Typical(0.15, 1)(logits).isfinite()[0]
    for seed in (1, 2):
        sampler = Confidence(steps=3, temperature=0, filters=[Typical(0.15, 1)])
        assert (fill(sampler, FixedModel(logits), seed=seed) == 0).all()


def test_greedy_without_mask_temperature_ignores_the_seed():
    model = NeighbourModel()
    sampler = Confidence(steps=5, temperature=0, mask_temperature=0)
    assert torch.equal(fill(sampler, model, 20, seed=1), fill(sampler, model, 20, seed=2))
    noisy = Confidence(steps=5, temperature=0)
    assert not torch.equal(fill(noisy, model, 20, seed=1), fill(noisy, model, 20, seed=2))


def test_the_score_is_the_log_probability_in_the_filtered_distribution():
    logits = peaked()
    sampler = Confidence(steps=2, temperature=0.5, mask_temperature=0, filters=TopK(5))
    model, steps = FixedModel(logits), []
    tokens = tokens_for(model)
    sampler(model, tokens, keep_for(tokens), generators(1), steps.append)
    wanted = TopK(5)(logits / 0.5).log_softmax(-1)
    settled = steps[0].confidence.isfinite() & ~steps[0].masked
    torch.testing.assert_close(steps[0].confidence[settled], wanted[steps[0].tokens[settled]])


def test_greedy_scores_at_temperature_one():
    model, steps = FixedModel(peaked()), []
    tokens = tokens_for(model)
    sampler = Confidence(steps=1, temperature=0, mask_temperature=0)
    sampler(model, tokens, keep_for(tokens, 0), generators(1), steps.append)
    best = peaked().log_softmax(-1).max()
    torch.testing.assert_close(steps[0].confidence, best.expand(tokens.shape))


def test_the_noise_on_scores_is_gumbel_and_fades():
    model, steps = FixedModel(torch.zeros(30)), []
    tokens = tokens_for(model, n_frames=5000)
    sampler = Confidence(steps=4, mask_temperature=8, filters=(), schedule=lambda r: 0.99)
    sampler(model, tokens, keep_for(tokens, 0), generators(1), steps.append)
    for step, scale in zip(steps, [6, 4, 2, 0], strict=True):
        noise = step.confidence[step.confidence.isfinite()] - torch.tensor(1 / 30).log()
        # Mean and standard deviation of the standard Gumbel distribution.
        assert noise.mean().item() == pytest.approx(0.5772 * scale, abs=0.1)
        assert noise.std().item() == pytest.approx(1.2825 * scale, abs=0.15)


def test_each_item_follows_the_schedule_of_its_own_masked_tokens():
    # Counted over the batch, 160 and 8 masked tokens would leave the second item all masked.
    model, steps = NeighbourModel(), []
    tokens = tokens_for(model, n_batch=2, n_frames=40)
    keep = torch.zeros_like(tokens, dtype=torch.bool)
    keep[1, :, 2:] = True
    sampler = RandomOrder(steps=4, schedule="linear")
    sampler(model, tokens, keep, generators(1, 2), steps.append)
    left = [step.masked.sum((1, 2)).tolist() for step in steps]
    assert left == [[120, 6], [80, 4], [40, 2], [0, 0]]


def test_rows_are_sampled_the_same_in_any_chunks(monkeypatch):
    model = NeighbourModel()
    whole = fill(Confidence(steps=4), model, n_frames=30)
    monkeypatch.setattr(core, "_ROWS", 7)
    assert torch.equal(fill(Confidence(steps=4), model, n_frames=30), whole)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_models_may_compute_in_any_precision(dtype):
    model = FixedModel(peaked().to(dtype))
    assert (fill(Confidence(steps=2, guidance=1.5), model, n_frames=20) < 40).all()


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.2},
        {"filters": TopP(0.2)},
        {"mask_temperature": 0.0},
        {"schedule": "linear"},
        {"guidance": 2.0},
        {"steps": 3},
    ],
    ids=str,
)
def test_settings_reach_fine_models_too(change):
    model = NeighbourModel(n_codebooks=7, n_conditioning=4)
    tokens = tokens_for(model)
    keep = keep_for(tokens)
    plain = {"steps": 6, "filters": ()}
    one, other = (
        Confidence(**settings)(model, tokens, keep, generators(1))
        for settings in (plain, {**plain, **change})
    )
    assert not torch.equal(one, other)
