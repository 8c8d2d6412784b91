"""The codec of band levels: tokens that say what is heard, and not where the grid falls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vampprompt.models import phaseless
from vampprompt.models.phaseless import PhaselessCodec, band_centres

RATE = 44100


@pytest.fixture(scope="module")
def codec():
    """A codec whose rows are levels of sines and chords, and whose network adds nothing."""
    torch.manual_seed(0)
    codec = PhaselessCodec(8, n_layers=1, n_codebooks=2, codebook_size=64).eval()
    with torch.no_grad():
        codec.decoder.layers[-1].weight.zero_()
        codec.decoder.layers[-1].bias.zero_()
        seen = torch.cat([codec.analyse(sines(55 * 2 ** (n / 12)))[0, 10:11] for n in range(64)])
        codec.mean.copy_(seen.mean(0))
        codec.rows[0] = seen - seen.mean(0)
        codec.rows[1] = torch.linspace(-20, 20, 64)[:, None].expand(-1, len(codec.mean))
    return codec


def sines(*frequencies, seconds=0.5, level=0.1):
    time = torch.arange(int(seconds * RATE)) / RATE
    waves = [torch.sin(2 * torch.pi * frequency * time) for frequency in frequencies]
    return level * sum(waves)[None, None]


def test_bands_are_quarter_tones_and_semitones_above():
    centres = band_centres()
    steps = 12 * np.log2(centres[1:] / centres[:-1])
    low = centres[1:] < 4000
    np.testing.assert_allclose(steps[low], 0.5)
    np.testing.assert_allclose(steps[~low], 1)
    assert (centres[0], len(centres)) == (40, 186)


@pytest.mark.parametrize("frequency", [110.0, 440.0, 2500.0, 8000.0])
def test_a_sine_is_loudest_in_its_band_and_as_loud_as_it_is(codec, frequency):
    centre = band_centres()[np.abs(band_centres() - frequency).argmin()]
    levels = phaseless._expanded(codec.analyse(sines(float(centre)))[0, 10])
    assert band_centres()[int(levels.argmax())] == centre
    # a level is the mean over a band, and a sine fills a part of it
    assert -30 < levels.max() < -19


def test_levels_are_the_same_wherever_the_grid_falls(codec):
    audio = sines(220, 277, 330, seconds=1.0)
    whole = codec.analyse(audio)[0, 10:40]
    shifted = codec.analyse(audio[..., 300:])[0, 10:40]
    loud = whole > -40
    assert loud.any(1).all()
    assert (whole - shifted)[loud].abs().max() < 1.5
    tokens = codec.encode(audio)[0, :, 10:40]
    assert (tokens[0] == tokens[0, 0]).all()


def test_the_first_codebook_is_the_same_however_loud(codec):
    audio = sines(440)
    quiet, loud = (codec.encode(gain * audio)[0, :, 10:20] for gain in (0.7, 1.4))
    assert torch.equal(quiet[0], loud[0])
    assert not torch.equal(quiet[1], loud[1])


def test_levels_add_up_what_codebooks_say(codec):
    tokens = torch.tensor([[[3, 5], [7, 60]]])
    wanted = codec.mean + codec.rows[0, [3, 5]] + codec.rows[1, [7, 60]]
    torch.testing.assert_close(codec.levels(tokens)[0], wanted)
    torch.testing.assert_close(codec.levels(tokens[:, :1])[0], codec.mean + codec.rows[0, [3, 5]])


def test_a_sine_comes_back_in_tune(codec):
    """Also between two bands, and where bins are wider than bands are apart."""
    with torch.no_grad():
        for frequency in (112.0, 443.0):
            levels = codec.analyse(sines(frequency, seconds=2.0))
            sound = codec._sound(levels)[0, 8192 : 8192 + 65536]
            spectrum = torch.fft.rfft(sound * torch.hann_window(65536)).abs()
            heard = int(spectrum.argmax()) * RATE / 65536
            assert abs(1200 * np.log2(heard / frequency)) < 12
            assert 0.03 < sound.std() < 0.15


def test_a_long_sound_comes_out_as_in_one_block(codec, monkeypatch):
    levels = codec.analyse(sines(220, 277, 330, seconds=4.0))
    with torch.no_grad():
        whole = codec._sound(levels)
        monkeypatch.setattr(phaseless, "_BLOCK", 60)
        torch.testing.assert_close(codec._sound(levels), whole, atol=1e-6, rtol=0)
        torch.testing.assert_close(codec.analyse(sines(220, 277, 330, seconds=4.0)), levels)


def test_decoding_is_a_function_of_the_tokens(codec):
    tokens = torch.randint(0, 64, (2, 2, 30), generator=torch.Generator().manual_seed(0))
    sound = codec.decode(tokens)
    torch.manual_seed(5)
    assert torch.equal(codec.decode(tokens), sound)
    assert torch.equal(codec.decode(tokens[1:]), sound[1:])
    assert sound.isfinite().all()


def test_silence_stays_quiet(codec):
    with torch.no_grad():
        sound = codec._sound(codec.analyse(torch.zeros(1, 1, 20 * 768)))
    assert sound.abs().max() < 1e-3


def test_a_rate_that_has_no_room_for_the_bands_is_refused():
    with pytest.raises(ValueError, match="at least 38000, not 24000"):
        PhaselessCodec(sample_rate=24000)
