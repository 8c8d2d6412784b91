from __future__ import annotations

import warnings

import pytest
import torch

from vampprompt.errors import ModelError
from vampprompt.models.codecs import DacCodec, DacMrfCodec, codecs
from vampprompt.protocols import Codec

SMALL = {
    "encoder_dim": 2,
    "encoder_rates": (2, 3),
    "decoder_dim": 8,
    "decoder_rates": (3, 2),
    "n_codebooks": 3,
    "codebook_size": 16,
}


@pytest.fixture(params=[DacCodec, DacMrfCodec])
def small(request):
    torch.manual_seed(0)
    return request.param(**SMALL).eval()


def test_meets_the_protocol(small):
    assert isinstance(small, Codec)
    assert (small.hop_length, small.n_codebooks, small.sample_rate) == (6, 3, 44100)
    assert small.codebooks.shape == (3, 16, 8)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (6, 1), (7, 2), (59, 10), (60, 10)])
def test_pads_to_a_whole_hop(small, n_samples, n_frames):
    tokens = small.encode(torch.zeros(2, 1, n_samples))
    assert tokens.dtype == torch.int64
    assert tokens.shape == (2, 3, n_frames)
    assert small.decode(tokens).shape == (2, 1, n_frames * 6)


def test_decodes_fewer_codebooks(small):
    tokens = torch.randint(0, 16, (1, 3, 5), generator=torch.Generator().manual_seed(0))
    first, whole = small.decode(tokens[:, :1]), small.decode(tokens)
    assert first.shape == whole.shape
    assert not torch.equal(first, whole)


def test_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DacMrfCodec(**SMALL)


def test_frames_must_be_of_one_length():
    with pytest.raises(ValueError, match=r"\[2, 4, 8, 8\].*\[12, 8, 4, 2\].*different lengths"):
        DacCodec(decoder_rates=(12, 8, 4, 2))


def test_families():
    assert {"dac", "dac-mrf", "spectral"} <= set(codecs)
    with pytest.raises(ModelError, match="unknown codec 'spectra'\ndid you mean 'spectral'"):
        codecs.get("spectra")
