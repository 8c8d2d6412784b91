from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vampprompt.models import windowed
from vampprompt.models.codecs import DacCodec
from vampprompt.models.folding import remove_weight_norm
from vampprompt.models.reach import context_frames


def noise(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3)) - 0.5


@pytest.fixture(scope="module")
def odd_codec():
    """With an odd stride, as the 24 kHz codec has one."""
    torch.manual_seed(0)
    codec = DacCodec(
        encoder_dim=2,
        encoder_rates=(2, 4, 5, 8),
        decoder_dim=16,
        decoder_rates=(8, 5, 4, 2),
        n_codebooks=2,
        codebook_size=16,
    ).eval()
    remove_weight_norm(codec)
    return codec


@pytest.mark.parametrize("window_s", [0.1, 0.5, 10])
def test_the_same_as_in_one_piece(codec, window_s):
    audio = noise(2, 1, 60 * codec.hop_length - 100)
    tokens = codec.encode(audio)
    decoded = codec.decode(tokens)
    assert torch.equal(windowed.encode(codec, audio, window_s=window_s), tokens)
    again = windowed.decode(codec, tokens, window_s=window_s)
    assert again.shape == decoded.shape
    assert (again - decoded).abs().max() < 1e-4


@settings(max_examples=8, deadline=None)
@given(n_samples=st.integers(1, 30 * 320), window_s=st.floats(0.001, 0.5))
def test_any_length_in_any_window(odd_codec, n_samples, window_s):
    audio = noise(1, 1, n_samples)
    tokens = windowed.encode(odd_codec, audio, window_s=window_s)
    assert torch.equal(tokens, odd_codec.encode(audio))
    decoded = windowed.decode(odd_codec, tokens, window_s=window_s)
    assert decoded.shape == (1, 1, tokens.shape[-1] * odd_codec.hop_length)
    torch.testing.assert_close(decoded, odd_codec.decode(tokens), atol=1e-5, rtol=0)


def test_less_context_would_not_do(codec, monkeypatch):
    tokens = codec.encode(noise(1, 1, 40 * codec.hop_length))
    decoded = codec.decode(tokens)
    monkeypatch.setattr(codec, "context_frames", codec.context_frames // 2)
    assert (windowed.decode(codec, tokens, window_s=0.2) - decoded).abs().max() > 1e-3


def test_the_context_is_what_gradients_reach(codec):
    hop, middle = codec.hop_length, 20
    samples = torch.zeros(1, 1, (2 * middle + 1) * hop).requires_grad_()
    codec.encoder(samples)[..., middle].sum().backward()
    seen = samples.grad[0, 0].nonzero() // hop - middle
    latents = noise(1, codec.decoder[0][0].in_channels, 2 * middle + 1).requires_grad_()
    codec.decoder(latents)[..., middle * hop : (middle + 1) * hop].square().sum().backward()
    reached = latents.grad[0].abs().sum(0).nonzero() - middle
    furthest = max(seen.abs().max(), reached.abs().max())
    assert codec.context_frames == furthest
    assert context_frames(codec.encoder, codec.decoder, hop) == furthest


def test_progress(codec):
    done = []
    audio = noise(2, 1, 10 * codec.hop_length)
    windowed.encode(codec, audio, window_s=0.1, on_window=lambda *now: done.append(now))
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_codec_that_states_no_context_runs_in_one_piece():
    class Whole:
        sample_rate, hop_length, n_codebooks = 100, 10, 1

        def encode(self, audio):
            return audio.unflatten(-1, (-1, 10)).sum(-1).cumsum(-1).long()

        def decode(self, tokens):
            return tokens.flip(-1).repeat_interleave(10, -1).float()

    audio = torch.ones(2, 1, 100)
    tokens = windowed.encode(Whole(), audio, window_s=0.1)
    assert tokens.tolist() == [[list(range(10, 101, 10))]] * 2
    assert windowed.decode(Whole(), tokens, window_s=0.1)[0, 0, 0] == 100


def test_records_no_gradients(odd_codec):
    assert not windowed.decode(odd_codec, torch.zeros(1, 2, 3, dtype=torch.long)).requires_grad
