"""The starter's codec and token models learn what they should, and go on where they stopped."""

import csv
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from starter import codebooks, codec, losses
from starter import tokens as learning
from starter.attention import SpelledOutAttention
from starter.codec import CodecSettings
from starter.training import Schedule, finished, seconds_spent, train

# The smallest that trains.
SIZE = {"width": 8, "expansion": 1, "n_layers": 1, "n_codebooks": 2}
CODEC = CodecSettings(**SIZE, schedule=Schedule(3, 1e-3), batch=2, frames=24)
N_FRAMES = 600


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def clips(tmp_path):
    rng = np.random.default_rng(0)
    clips = rng.integers(-3000, 3000, (2, N_FRAMES * 768 + 5)).astype(np.int16)
    np.save(tmp_path / "clips.npy", clips)
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


def test_tokens_begin_by_predicting_what_is_like_them():
    rows = 3 * torch.randn(3, 32, 8)
    rows[2, 5] = rows[2, 9]
    model = token_model(3, rows=rows)
    learning.start_from_codebooks(model)
    tokens = torch.randint(0, 32, (2, 3, 7))
    logits = model.logits(tokens)
    torch.testing.assert_close(logits[:, 1, :, 5], logits[:, 1, :, 9])
    assert (logits[:, 0, :, 5] - logits[:, 0, :, 9]).abs().min() > 1e-4
    # what a frame is itself, it is likeliest to be, before anything has been learned
    frames = model.embedding(tokens, model.latents)
    read = model.classifier(frames).unflatten(-1, (32, 2))[..., 0]
    likeliest = read.topk(4).indices
    assert (likeliest == tokens[:, 1, :, None]).any(-1).float().mean() > 0.8


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


def test_codebooks_are_placed_where_levels_are(tmp_path, clips):
    shape = CODEC.build()
    levels = 10 * torch.randn(3000, 3) @ torch.randn(3, len(shape.mean)) - 40
    codebooks.place(shape, levels)
    assert torch.equal(shape.rows, shape.rows.half().float())
    left = levels
    for count in (1, 2):
        tokens = shape.quantize(levels, count)
        error = (shape.levels(tokens[None])[0] - levels).square().mean()
        assert error < 0.35 * (left - left.mean(0)).square().mean()
        left = levels - shape.levels(tokens[None])[0]
    torch.testing.assert_close(
        shape.latents.square().mean((1, 2)), torch.ones(2), atol=0.01, rtol=0
    )
    assert [row.unique().numel() > 900 for row in shape.quantize(levels)] == [True, True]


def test_what_a_codebook_is_not_for_it_leaves_alone():
    fine = [codebooks.emphasis(number) for number in range(4, 8)]
    assert torch.equal(sum(fine), torch.ones(len(fine[0])))
    assert (codebooks.emphasis(0) > 0).all()


def test_a_codec_is_analysed_placed_and_learns_to_sound(clips, tmp_path):
    levels, placed = tmp_path / "levels.npy", tmp_path / "codebooks.pt"
    codec.analyse(CODEC.build(), clips, levels)
    written = np.load(levels)
    assert (written.shape, written.dtype) == ((2, N_FRAMES, 186), np.int16)
    exact = CODEC.build().analyse(codec.heard(np.load(clips)[0])[None, None])[0, :N_FRAMES]
    torch.testing.assert_close(codebooks.loaded(written[0]), exact, atol=0.006, rtol=0)
    codec.place_codebooks(CODEC, levels, placed)
    learning.tokenize(codec.trained(CODEC, placed, tmp_path), levels, tmp_path / "tokens.npy")
    tokens = np.load(tmp_path / "tokens.npy")
    assert (tokens.shape, tokens.dtype) == ((2, 2, N_FRAMES), np.int16)
    codec.train_decoder(CODEC, clips, levels, placed, tmp_path / "run")
    row = logged(tmp_path / "run")[-1]
    terms = ("level", "loudness", "mel", "unevenness")
    assert np.isfinite([float(row[term]) for term in terms]).all()
    before, after = (codec.trained(CODEC, placed, tmp_path / name) for name in ("none", "run"))
    state = before.state_dict()
    changed = {
        key for key, value in after.state_dict().items() if not torch.equal(value, state[key])
    }
    assert {name.partition(".")[0] for name in changed} == {"decoder"}


def test_a_spectrum_compared_with_itself_has_no_error_and_a_gain_is_told():
    shape = CODEC.build()
    margin = (shape.window_length - shape.subhop) // 2
    audio = 0.1 * torch.randn(1, 20 * 768 + 2 * margin)
    windows = audio.unfold(-1, shape.window_length, shape.subhop)
    power = torch.fft.rfft(windows * (2 / shape.window.sum() * shape.window)).abs() ** 2
    exact = 10 * torch.log10(power)
    inner = slice(3, -3)
    same = losses.spectrum(shape, audio, exact, inner)
    assert all(float(term) < 0.01 for term in same.values())
    louder = losses.spectrum(shape, audio, exact + 3, inner)
    torch.testing.assert_close(louder["mel"], torch.tensor(3.0), atol=0.01, rtol=0)
    assert louder["unevenness"] < 0.1
    smooth = losses.spectrum(shape, audio, exact.mean(-1, keepdim=True).expand_as(exact), inner)
    assert smooth["unevenness"] > 2
