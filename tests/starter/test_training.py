"""The starter's codec and token models learn what they should, and go on where they stopped."""

import csv
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from starter import corpus, losses
from starter import tokens as learning
from starter.attention import SpelledOutAttention
from starter.codebooks import CodebookKeeper
from starter.codec import CodecSettings, train_codec
from starter.discriminator import SpectrogramDiscriminator, discriminator_loss, feature_distance
from starter.refine import RefineSettings, _balanced, refine_codec
from starter.training import Schedule, finished, load_model, seconds_spent, train

# The smallest that train.
SIZE = {"width": 8, "expansion": 1, "encoder_layers": 1, "decoder_layers": 1, "n_codebooks": 2}
STEPS = {"schedule": Schedule(3, 1e-3), "batch": 2, "frames": 24, "unquantized_steps": 1}
CODEC = CodecSettings(**SIZE, **STEPS)
REFINE = RefineSettings(Schedule(3, 1e-3, warmup=0), batch=2, frames=24, channels=2)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def clips(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "clips.npy", rng.integers(-3000, 3000, (2, 40 * 768)).astype(np.int16))
    return tmp_path / "clips.npy"


def token_model(n_codebooks=4, n_conditioning=1, rows=None):
    rows = torch.randn(n_codebooks, 32, 8) if rows is None else rows
    return learning.TokenSettings(n_codebooks, n_conditioning, 16, 2, 1).build(rows).eval()


def checkpoint(folder, part="model"):
    return torch.load(folder / "checkpoint.pt", weights_only=True)[part]


assert_equal = partial(torch.testing.assert_close, rtol=0, atol=0)


def logged(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_stopped_run_ends_like_one_that_was_not(tmp_path):
    schedule = Schedule(6, 1e-2, warmup=2)

    def run(folder, stop_at=None):
        torch.manual_seed(0)
        model = nn.Linear(3, 1)

        def loss(step):
            if step == stop_at:
                raise InterruptedError
            return {"loss": model(torch.randn(4, 3)).square().mean()}

        train(model, loss, schedule, tmp_path / folder, log_every=2, save_every=0)

    run("whole")
    with pytest.raises(InterruptedError):
        run("parts", 3)
    assert not finished(tmp_path / "parts", schedule)
    run("parts")
    assert_equal(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts"))
    assert finished(tmp_path / "parts", schedule)
    assert seconds_spent(tmp_path / "parts") > 0
    assert [row["step"] for row in logged(tmp_path / "parts")] == ["2", "4", "6"]


@pytest.mark.parametrize(("hold", "top"), [(0.0, 1), (0.7, 71)])
def test_rate_rises_then_is_held_then_falls(hold, top):
    schedule = Schedule(110, 1.0, warmup=10, hold=hold)
    rates = [schedule.rate(step) for step in range(110)]
    assert rates[:10] == sorted(rates[:10])
    assert set(rates[9 : 9 + top]) == {1.0} == {max(rates)}
    assert rates[9 + top :] == sorted(rates[9 + top :], reverse=True)
    assert 0.9 < rates[11 + top] < 1
    assert rates[-1] < 0.01


def test_each_parameter_of_a_token_model_has_one_optimizer():
    model = token_model()
    groups = [group for each in learning.optimizers_of(model) for group in each.param_groups]
    parameters = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(parameters) == sorted(id(parameter) for parameter in model.parameters())


def test_codebooks_placed_by_what_is_seen_represent_it():
    quantizer = CODEC.build().quantizer.eval()
    latents = torch.randn(3000, 2) @ torch.randn(2, 8)
    CodebookKeeper(quantizer).initialise(latents)
    rebuilt = quantizer(latents.T[None])[0][0].T
    assert (rebuilt - latents).square().mean() / latents.var() < 0.05


def test_rows_that_nothing_falls_to_are_moved():
    quantizer = CODEC.build().quantizer.train()
    keeper = CodebookKeeper(quantizer, decay=0.5)
    latents = torch.randn(4, 8, 200)
    for _ in range(20):
        _, codes, projected, *_ = quantizer(latents)
        keeper.update(projected.detach(), codes)
    assert keeper.perplexity().min() > 200


def test_token_model_trains(tmp_path):
    tokens = np.random.default_rng(0).integers(0, 32, (3, 4, 20)).astype(np.int16)
    settings = learning.TokenSettings(4, 2, 16, 2, 1, Schedule(2, 1e-3), batch=2, frames=12)
    learning.train_tokens(settings, torch.randn(4, 32, 8), tokens, tokens, tmp_path)
    assert 0 < float(logged(tmp_path)[-1]["held-out loss"]) < 10
    assert checkpoint(tmp_path)["classifier.layers.0.weight"].shape[0] == 32 * 2


def test_shares_follow_the_cosine_and_hide_something_but_never_the_conditioning():
    shares = learning.drawn_shares(20_000, np.random.default_rng(0))
    assert 0 <= shares.min() <= shares.max() <= 1
    assert abs(float(shares.mean()) - 2 / np.pi) < 0.01
    tokens = torch.zeros(3, 4, 5, dtype=torch.int64)
    hidden = learning.hide(tokens, torch.tensor([0.0, 0.5, 1.0]), n_conditioning=1)
    assert hidden.shape == (3, 3, 5)
    assert hidden[0].sum() == 1
    assert hidden[2].all()


def test_unigram_of_even_tokens_is_their_number():
    tokens = np.arange(1024, dtype=np.int16)[None, None].repeat(50, axis=0)
    np.testing.assert_allclose(learning.unigram_entropy(tokens, tokens), [np.log(1024)], rtol=1e-6)


def test_excerpts_are_in_range():
    clips = np.full((2, 100), 30000, np.int16)
    audio = corpus.excerpts(clips, 8, 10, np.random.default_rng(0))
    assert audio.shape == (8, 1, 10)
    assert 0.3 < audio.min() <= audio.max() < 1


def test_masked_prediction_agrees_with_the_model_s_logits():
    model = token_model()
    tokens = torch.randint(0, 32, (3, 4, 7))
    entropy, accuracy = learning.masked_prediction(model, tokens, torch.ones(3))
    given = tokens.clone()
    given[:, 1:] = model.mask_token
    logits = model.logits(given)
    wanted = functional.cross_entropy(logits.flatten(0, 2), tokens[:, 1:].flatten())
    torch.testing.assert_close(entropy, wanted)
    assert accuracy == (logits.argmax(-1) == tokens[:, 1:]).float().mean()


def test_like_tokens_begin_alike():
    rows = torch.randn(3, 32, 8)
    rows[2, 5] = rows[2, 9]
    model = token_model(3, rows=rows)
    learning.start_from_codebooks(model)
    logits = model.logits(torch.randint(0, 32, (2, 3, 7)))
    torch.testing.assert_close(logits[:, 1, :, 5], logits[:, 1, :, 9])
    assert (logits[:, 0, :, 5] - logits[:, 0, :, 9]).abs().min() > 1e-4


def test_attention_agrees_with_the_fused_one_and_gives_the_bias_a_gradient():
    query, key, value = torch.randn(3, 2, 4, 10, 8)
    bias = torch.randn(1, 4, 10, 10, requires_grad=True)
    fused = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    with SpelledOutAttention():
        spelled = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    assert spelled.dtype == torch.bfloat16
    torch.testing.assert_close(spelled.float(), fused, atol=0.05, rtol=0.05)
    wanted = torch.autograd.grad(fused.square().sum(), bias)[0]
    given = torch.autograd.grad(spelled.float().square().sum(), bias)[0]
    assert functional.cosine_similarity(wanted.flatten(), given.flatten(), dim=0) > 0.99


def test_a_codec_learns_and_its_refinement_changes_only_the_decoder(clips, tmp_path):
    train_codec(CODEC, clips, tmp_path / "codec")
    assert float(logged(tmp_path / "codec")[-1]["commitment"]) > 0
    refine_codec(REFINE, CODEC, clips, tmp_path / "codec", tmp_path / "refine")
    before, after = CODEC.build(), CODEC.build()
    assert before.state_dict().keys() == checkpoint(tmp_path / "codec").keys()
    load_model(tmp_path / "codec", before)
    load_model(tmp_path / "refine", after)
    state = after.state_dict()
    changed = {name for name in state if not torch.equal(state[name], before.state_dict()[name])}
    assert {name.partition(".")[0] for name in changed} == {"decoder"}
    audio = torch.randn(1, 1, 20 * 768)
    assert torch.equal(before.encode(audio), after.encode(audio))
    row = logged(tmp_path / "refine")[-1]
    terms = ("mel", "level", "adversarial", "features", "discriminator")
    assert np.isfinite([float(row[term]) for term in terms]).all()


def test_a_stopped_refinement_ends_like_one_that_was_not(clips, tmp_path, monkeypatch):
    train_codec(CODEC, clips, tmp_path / "codec")
    refine = partial(refine_codec, REFINE, CODEC, clips, tmp_path / "codec")
    refine(tmp_path / "whole")
    first_two = [corpus.excerpts] * 2
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "excerpts", lambda *given: first_two.pop()(*given))
        patch.setattr("starter.refine.train", partial(train, save_every=0))
        with pytest.raises(IndexError):
            refine(tmp_path / "parts")
    refine(tmp_path / "parts")
    for part in ("model", "discriminators"):
        assert_equal(checkpoint(tmp_path / "whole", part), checkpoint(tmp_path / "parts", part))


@pytest.mark.parametrize("window", [512, 1024, 2048])
def test_discriminators_learn_to_tell_noise_from_tones(window):
    judge = SpectrogramDiscriminator(window, 4)
    optimizer = torch.optim.Adam(judge.parameters(), 1e-2)
    time = torch.arange(12 * 768) / 44100
    for _ in range(20):
        noise = 0.1 * torch.randn(4, len(time))
        tones = 0.1 * torch.sin(2 * torch.pi * 440 * (1 + torch.rand(4, 1)) * time)
        loss = discriminator_loss(judge(noise)[-1], judge(tones)[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5


def test_features_of_like_sounds_are_near_and_pull_the_output():
    judge = SpectrogramDiscriminator(512, 4)
    audio = torch.randn(2, 4096)
    real = judge(audio)
    assert feature_distance(real, judge(audio)) == 0
    given = torch.randn(2, 4096, requires_grad=True)
    near = feature_distance(real, judge(audio + 0.01 * given))
    far = feature_distance(real, judge(given))
    assert 0 < near < far
    far.backward()
    assert given.grad.abs().sum() > 0
    # the verdict, which stands last, has no part in it
    features = [torch.ones(2), torch.ones(3)]
    assert feature_distance(features, [torch.ones(2), torch.zeros(3)]) == 0


def test_discriminators_see_quiet_sounds():
    judge = SpectrogramDiscriminator(512, 4)
    torch.nn.init.zeros_(judge.patches.bias)
    audio = torch.randn(1, 4096)
    loud, quiet = (judge(gain * audio)[0] for gain in (1.0, 1e-3))
    torch.testing.assert_close(quiet, 0.1 * loud, atol=2e-2, rtol=1e-2)


def test_level_error_is_the_gain_in_decibels():
    audio = 0.1 * torch.randn(2, 44100)
    error = losses.spectral_loss(audio, audio * 10 ** (-3 / 20), 1024)
    for part in (error.level, error.mel):
        torch.testing.assert_close(part, torch.tensor(3.0), atol=1e-3, rtol=0)
    other = losses.spectral_loss(audio, 0.1 * torch.randn(2, 44100), 1024)
    assert other.level < 0.5
    assert other.mel > 1.5


def test_hinge_is_nothing_for_certain_verdicts():
    assert discriminator_loss(torch.tensor([1.5]), torch.tensor([-1.5])) == 0
    assert discriminator_loss(torch.zeros(1), torch.zeros(1)) == 2


def test_a_balanced_pull_has_the_norm_it_is_given():
    audio = torch.ones(2, 3, requires_grad=True)
    balanced = _balanced(audio, 0.25)
    assert torch.equal(balanced, audio)
    (1000 * balanced.square()).sum().backward()
    torch.testing.assert_close(audio.grad, torch.full((2, 3), 0.25 / 6**0.5))
