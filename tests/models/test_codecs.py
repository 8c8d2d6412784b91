from __future__ import annotations

import warnings

import pytest
import torch

from vampprompt.errors import ModelError
from vampprompt.models import codecs
from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.spectral import SpectralCodec
from vampprompt.protocols import Codec

HOP = 48
SHAPE = {"n_codebooks": 3, "codebook_size": 16}
SMALL = {"encoder_dim": 2, "encoder_rates": (2, 3), "decoder_dim": 8, "decoder_rates": (3, 2)}
SMALL |= SHAPE
SPECTRAL = {"width": 16, "encoder_layers": 1, "decoder_layers": 2, "phase_bins": 4}
SPECTRAL |= {"hop_length": HOP, **SHAPE}
PHASELESS = {"width": 16, "n_layers": 1, "codebook_dim": 8, "hop_length": HOP, **SHAPE}


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(
    params=[
        (DacCodec, SMALL),
        (DacMrfCodec, SMALL),
        (SpectralCodec, SPECTRAL),
        (PhaselessCodec, PHASELESS),
    ]
)
def small(request):
    torch.manual_seed(0)
    family, settings = request.param
    codec = family(**settings).eval()
    if family is PhaselessCodec:
        codec.rows.normal_(0, 10)
        codec.latents.normal_()
    return codec


def noise(samples, batch=1):
    return 0.1 * torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(1))


def test_meets_the_protocol(small):
    assert isinstance(small, Codec)
    hop_length = HOP if isinstance(small, (SpectralCodec, PhaselessCodec)) else 6
    assert (small.hop_length, small.n_codebooks, small.sample_rate) == (hop_length, 3, 44100)
    assert small.codebooks.shape == (3, 16, 8)
    is_ours = isinstance(small, PhaselessCodec)
    last = small.latents[2] if is_ours else small.quantizer.quantizers[2].codebook.weight
    assert torch.equal(small.codebooks[2], last)


@pytest.mark.parametrize("n_frames", [1, 2, 10])
def test_pads_to_a_whole_hop_with_silence(small, n_frames):
    hop = small.hop_length
    for n_samples in (n_frames * hop, (n_frames - 1) * hop + 1):
        audio = noise(n_samples, batch=2)
        tokens = small.encode(audio)
        assert tokens.dtype == torch.int64
        assert tokens.shape == (2, 3, n_frames)
        assert small.decode(tokens).shape == (2, 1, n_frames * hop)
        silence = torch.zeros(2, 1, n_frames * hop - n_samples)
        assert torch.equal(small.encode(torch.cat([audio, silence], dim=-1)), tokens)


def test_decodes_fewer_codebooks(small):
    tokens = torch.randint(0, 16, (1, 3, 5), generator=torch.Generator().manual_seed(0))
    first, whole = small.decode(tokens[:, :1]), small.decode(tokens)
    assert first.shape == whole.shape
    assert not torch.equal(first, whole)


def test_batch_items_do_not_mix(small):
    audio = noise(12 * small.hop_length, batch=3)
    assert torch.equal(small.encode(audio)[1:2], small.encode(audio[1:2]))


def test_tokens_are_those_that_the_quantizer_gives():
    spectral = SpectralCodec(**SPECTRAL).eval()
    audio = noise(12 * HOP)
    _, codes, *_ = spectral.quantizer(spectral.analyse(audio))
    assert torch.equal(spectral.encode(audio), codes)
    assert torch.equal(spectral.encode(audio, n_codebooks=2), codes[:, :2])


def test_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DacMrfCodec(**SMALL)


def test_frames_must_be_of_one_length():
    with pytest.raises(ValueError, match=r"\[2, 4, 8, 8\].*\[12, 8, 4, 2\].*different lengths"):
        DacCodec(decoder_rates=(12, 8, 4, 2))
    for family in (SpectralCodec, PhaselessCodec):
        with pytest.raises(ValueError, match="multiple of 6"):
            family(hop_length=100)


def test_families():
    assert {"dac", "dac-mrf", "spectral", "phaseless"} <= set(codecs)
    with pytest.raises(ModelError, match="unknown codec 'spectra'\ndid you mean 'spectral'"):
        codecs.get("spectra")
