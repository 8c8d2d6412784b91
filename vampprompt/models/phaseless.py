"""A codec whose tokens name a spectrum and not its phases: small enough to ship."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vampprompt.models.layout import HOP_LENGTH, SAMPLE_RATE

__all__ = ["Block", "PhaselessCodec", "band_centres"]

# Bands: a quarter tone apart up to where pitch is heard, a semitone apart above; in Hz.
_LOWEST, _TURN, _HIGHEST = 40.0, 4000.0, 19_000.0
_PER_OCTAVE, _PER_OCTAVE_ABOVE = 24, 12
# Below this a band's level counts less, and below the last nothing does; in dB.
_KNEE, _SLOPE, _FLOOR_DB = -45.0, 0.35, -110.0
# What the layers see of a level, in such dB.
_CENTRE, _SPREAD = -50.0, 10.0

# A third of a frame is what windows are measured in; the decoder's is of eight such.
_SUBFRAMES = 3
_WINDOW = 8
_KERNEL = 7
# Frames at a time, which bound the memory that a long recording takes.
_BLOCK = 512
_TURNS, _MOMENTUM = 32, 0.99
# Up to where bands tell partials apart, in Hz, and how many noises there are above.
_PARTIALS_TO = 3000.0
_NOISES = 1021


class _Analysis(NamedTuple):
    """How the bands below a frequency are measured; lengths and places in thirds of a frame."""

    below: float
    window: int
    transform: int
    places: tuple[int, ...]


# Short windows are taken thrice a frame, which makes noise steadier.
_ANALYSES = (
    _Analysis(1500.0, 16, 32, (0,)),
    _Analysis(5000.0, 8, 8, (-1, 0, 1)),
    _Analysis(math.inf, 4, 4, (-1, 0, 1)),
)


class PhaselessCodec(nn.Module):
    """A codec between the levels of log-frequency bands and sound.

    A frame is told by the level of each band, without phases, so that the same sound has the same
    tokens wherever the grid of frames falls. A residual quantizer names it: its first codebook is
    looked up regardless of the frame's level, and each codebook by the bands that it is for.

    A network of ConvNeXt blocks [1]_ makes the magnitudes of a short-time spectrum of the bands.
    Phases that fit them are found by the fast Griffin-Lim algorithm [2]_. It starts from partials
    that go on from frame to frame, one for each peak among the bands, and above the pitch of any
    partial that bands tell apart from noise that depends on the place alone.

    Parameters
    ----------
    width : int
        Channels of the blocks.
    expansion : int
        Width of the blocks' hidden layer, in multiples of `width`.
    n_layers : int
        Number of blocks.
    n_codebooks, codebook_size : int
        The residual quantizer's shape.
    codebook_dim : int
        Length of the rows that token models know a token by.
    hop_length : int
        Samples in a frame; a multiple of six.
    sample_rate : int
        In hertz; at least twice what the highest band needs.

    References
    ----------
    .. [1] Liu et al., "A ConvNet for the 2020s", CVPR 2022.
    .. [2] Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.
    """

    config: dict[str, Any]
    mean: Tensor
    rows: Tensor
    emphasis: Tensor
    latents: Tensor
    spread: Tensor
    window: Tensor
    pitches: Tensor
    noise: Tensor
    # Phases depend on those of all frames before.
    context_frames = None

    def __init__(
        self,
        width: int = 320,
        expansion: int = 3,
        n_layers: int = 4,
        n_codebooks: int = 9,
        codebook_size: int = 1024,
        codebook_dim: int = 32,
        hop_length: int = HOP_LENGTH,
        sample_rate: int = SAMPLE_RATE,
    ) -> None:
        super().__init__()
        if hop_length % (2 * _SUBFRAMES):
            raise ValueError(f"hop_length must be a multiple of {2 * _SUBFRAMES}, not {hop_length}")
        if sample_rate < 2 * _HIGHEST:
            raise ValueError(f"sample_rate must be at least {2 * _HIGHEST:.0f}, not {sample_rate}")
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.n_codebooks = n_codebooks
        self.subhop = hop_length // _SUBFRAMES
        centres = band_centres()
        n_bands = len(centres)
        self.register_buffer("mean", torch.zeros(n_bands))
        self.register_buffer("rows", torch.zeros(n_codebooks, codebook_size, n_bands))
        self.register_buffer("emphasis", torch.ones(n_codebooks, n_bands))
        self.register_buffer("latents", torch.zeros(n_codebooks, codebook_size, codebook_dim))
        self.window_length = _WINDOW * self.subhop
        self.n_bins = self.window_length // 2 + 1
        self.decoder = _Decoder(n_bands, width, expansion, n_layers, self.n_bins)
        filters: list[tuple[Tensor, int]] = []
        window, spread = torch.empty(self.window_length), torch.empty(n_bands, self.n_bins)
        pitches, noise = torch.empty(n_bands), torch.empty(_NOISES, self.n_bins)
        # no file has these, and without memory nobody asks for their values
        if not window.is_meta:
            filters = [_filters(centres, one, self.subhop, sample_rate) for one in _ANALYSES]
            spread = torch.from_numpy(_interpolation(centres, self.window_length, sample_rate))
            window = torch.hann_window(self.window_length)
            pitches = torch.from_numpy(np.log2(centres).astype(np.float32))
            drawn = np.random.default_rng(0).uniform(0, 2 * np.pi, noise.shape)
            noise = torch.from_numpy(drawn.astype(np.float32))
        self._filters = filters
        self.register_buffer("spread", spread, persistent=False)
        self.register_buffer("pitches", pitches, persistent=False)
        self.register_buffer("noise", noise, persistent=False)
        self.register_buffer("window", window, persistent=False)

    @property
    def codebooks(self) -> Tensor:
        """Rows of the codebooks for token models, ``[codebook, entry, dim]``."""
        return self.latents

    def encode(self, audio: Tensor, n_codebooks: int | None = None) -> Tensor:
        """Return the tokens, ``[batch, codebook, frame]``, of audio ``[batch, 1, samples]``.

        The audio is right-padded to a whole hop. `n_codebooks` says how many codebooks to use, the
        coarsest first; all when not given.
        """
        return torch.stack([self.quantize(levels, n_codebooks) for levels in self.analyse(audio)])

    def analyse(self, audio: Tensor) -> Tensor:
        """Return the level of each band, ``[batch, frame, band]``, companded dB."""
        samples = audio.squeeze(1)
        n_frames = -(-samples.shape[-1] // self.hop_length)
        parts = []
        for start in range(0, n_frames, _BLOCK):
            stop = min(start + _BLOCK, n_frames)
            powers = [
                self._powers(samples, start, stop, one, *found)
                for one, found in zip(_ANALYSES, self._filters, strict=True)
            ]
            parts.append(10 * torch.log10(torch.cat(powers, dim=-1) + 10 ** (_FLOOR_DB / 10)))
        return _companded(torch.cat(parts, dim=1))

    def _powers(
        self, samples: Tensor, start: int, stop: int, how: _Analysis, filters: Tensor, lowest: int
    ) -> Tensor:
        length = how.window * self.subhop
        window = torch.hann_window(length, device=samples.device)
        total: Tensor | float = 0.0
        for place in how.places:
            shift = place * self.subhop + (self.hop_length - length) // 2
            first, last = start * self.hop_length + shift, (stop - 1) * self.hop_length + shift
            frames = _cut(samples, first, last + length).unfold(-1, length, self.hop_length)
            bins = torch.fft.rfft(frames * (2 / window.sum() * window), how.transform * self.subhop)
            bins = bins[..., lowest : lowest + len(filters)]
            total = total + bins.real**2 + bins.imag**2
        return cast(Tensor, total) / len(how.places) @ filters.to(samples.device)

    def quantize(self, levels: Tensor, n_codebooks: int | None = None) -> Tensor:
        """Return the tokens, ``[codebook, frame]``, of levels ``[frame, band]``."""
        residual = levels - self.mean
        tokens = []
        for number in range(n_codebooks or self.n_codebooks):
            found = self.nearest(number, residual)
            residual = residual - self.rows[number][found]
            tokens.append(found)
        return torch.stack(tokens)

    def nearest(self, number: int, residual: Tensor) -> Tensor:
        """Return the nearest row of a codebook to each of ``[frame, band]``: ``[frame]``."""
        seen, known = (self.seen(number, x) for x in (residual, self.rows[number]))
        lengths = (known**2).sum(-1) / 2
        parts = [(part @ known.T - lengths).argmax(-1) for part in torch.split(seen, 8 * _BLOCK)]
        return torch.cat(parts)

    def seen(self, number: int, residual: Tensor) -> Tensor:
        """Return what a codebook looks rows up by, ``[frame, band]``."""
        weight = self.emphasis[number]
        if number == 0:
            # the first says pitch and kind, and leaves loudness to the others
            residual = residual - (residual @ (weight / weight.sum()))[..., None]
        return residual * weight.sqrt()

    def levels(self, tokens: Tensor) -> Tensor:
        """Return the levels, ``[batch, frame, band]``, of any number of coarsest codebooks."""
        found = (self.rows[number][row] for number, row in enumerate(tokens.unbind(1)))
        return self.mean + cast(Tensor, sum(found))

    def decode(self, tokens: Tensor) -> Tensor:
        """Return audio ``[batch, 1, frames * hop_length]`` of any number of coarsest codebooks."""
        return torch.stack([self._sound(self.levels(item[None])) for item in tokens])

    def magnitudes(self, levels: Tensor) -> Tensor:
        """Return the dB of a sine in each bin, ``[batch, 3 * frame, bin]``, of levels."""
        return cast(Tensor, self.decoder(levels, self.spread))

    def _sound(self, levels: Tensor) -> Tensor:
        """Return audio ``[1, samples]`` of levels ``[1, frame, band]``, block by block.

        A turn of Griffin-Lim hears no further than a window, so that a block with enough context
        on either side comes out as in the whole.
        """
        n_frames = levels.shape[1]
        reach = -(-_TURNS * (self.window_length - self.subhop) // self.hop_length) + 1
        layers = self.decoder.context
        partials = self._partials(levels)
        parts = []
        for start in range(0, n_frames, _BLOCK):
            stop = min(start + _BLOCK, n_frames)
            first, last = max(start - reach, 0), min(stop + reach, n_frames)
            before, after = max(first - layers, 0), min(last + layers, n_frames)
            magnitudes = self.magnitudes(levels[:, before:after])[0]
            inner = slice((first - before) * _SUBFRAMES, (last - before) * _SUBFRAMES)
            places = slice(first * _SUBFRAMES, last * _SUBFRAMES)
            sound = self._phased(magnitudes[inner], self._starting_phases(partials, places))
            skipped = (start - first) * self.hop_length
            parts.append(sound[skipped : skipped + (stop - start) * self.hop_length])
        return torch.cat(parts)[None]

    def _phased(self, decibels: Tensor, phases: Tensor) -> Tensor:
        """Return samples whose spectrum has these magnitudes, and phases like these at first.

        Both are ``[window, bin]``.
        """
        wanted = 10 ** (decibels / 20) * (self.window.sum() / 2)
        bins = torch.polar(wanted, phases)
        envelope = self._added((self.window**2).expand(len(decibels), -1)).clamp(min=1e-4)
        before = torch.zeros_like(bins)
        for _ in range(_TURNS):
            sound = self._added(torch.fft.irfft(bins) * self.window) / envelope
            now = torch.fft.rfft(sound.unfold(0, self.window_length, self.subhop) * self.window)
            ahead = now - before * (_MOMENTUM / (1 + _MOMENTUM))
            bins, before = ahead * (wanted / (ahead.abs() + 1e-9)), now
        sound = self._added(torch.fft.irfft(bins) * self.window) / envelope
        margin = (self.window_length - self.subhop) // 2
        return sound[margin : margin + len(decibels) * self.subhop]

    def _added(self, windows: Tensor) -> Tensor:
        """Overlap windows, ``[window, samples]``, and add them: ``[samples]``."""
        count = len(windows)
        total = windows.new_zeros(count + _WINDOW - 1, self.subhop)
        for number, part in enumerate(windows.view(count, _WINDOW, -1).unbind(1)):
            total[number : number + count] += part
        return total.flatten()

    def _partials(self, levels: Tensor) -> _Partials:
        """Return the peaks among the bands, and a sine for each band that goes on at its pitch."""
        decibels = _in_subframes(_expanded(levels))[0]
        beside = functional.pad(decibels[None], (1, 1), mode="replicate")[0]
        below, above = beside[:, :-2], beside[:, 2:]
        is_peak = (decibels >= below) & (decibels > above)
        # the top of a parabola through a peak and its neighbours, in bands
        bend = (below - 2 * decibels + above).clamp(max=-1e-3)
        offset = ((below - above) / (2 * bend)).clamp(-0.5, 0.5) * is_peak
        # the highest band is never a peak
        pitches = self.pitches + offset * self.pitches.diff(append=self.pitches[-1:])
        cycles = (2 ** pitches.double() * self.subhop / self.sample_rate).cumsum(0) % 1
        return _Partials(is_peak, pitches, 2 * math.pi * cycles.float())

    def _starting_phases(self, partials: _Partials, places: slice) -> Tensor:
        """Return a phase for each bin, ``[window, bin]``: that of the partial next to it."""
        is_peak, pitches, phases = (one[places] for one in partials)
        count, n_bands = is_peak.shape
        numbers = torch.arange(n_bands, device=is_peak.device).expand(count, -1)
        lower = torch.where(is_peak, numbers, 0).cummax(1).values
        upper = torch.where(is_peak, numbers, n_bands - 1).flip(1).cummin(1).values.flip(1)
        bin_width = self.sample_rate / self.window_length
        frequencies = torch.arange(self.n_bins, device=is_peak.device) * bin_width
        band = torch.searchsorted(self.pitches, frequencies.clamp(min=1).log2())
        band = band.clamp(max=n_bands - 1)
        nearest = torch.stack([lower[:, band], upper[:, band]])
        distances = torch.stack(
            [(2 ** pitches.gather(1, one) - frequencies).abs() for one in nearest]
        )
        chosen = nearest.gather(0, distances.argmin(0)[None])[0]
        # a window begins half its length before where the sine has its phase
        turns = math.pi * torch.arange(self.n_bins, device=phases.device)
        noisy = self.noise[torch.arange(places.start, places.stop) % _NOISES]
        return torch.where(frequencies < _PARTIALS_TO, phases.gather(1, chosen) + turns, noisy)


class _Partials(NamedTuple):
    """For each window and band, ``[window, band]``."""

    is_peak: Tensor
    pitches: Tensor
    phases: Tensor


class _Decoder(nn.Module):
    """From levels to magnitudes: what lies between the bands, corrected by a network."""

    def __init__(
        self, n_bands: int, width: int, expansion: int, n_layers: int, n_bins: int
    ) -> None:
        super().__init__()
        self.context = 1 + Block.reach * n_layers
        self.layers = nn.Sequential(
            nn.Linear(n_bands, width),
            nn.LayerNorm(width),
            *(Block(width, expansion) for _ in range(n_layers)),
            nn.LayerNorm(width),
            nn.Linear(width, _SUBFRAMES * n_bins),
        )

    def forward(self, levels: Tensor, spread: Tensor) -> Tensor:
        between = _in_subframes(_expanded(levels)) @ spread
        correction = self.layers((levels - _CENTRE) / _SPREAD).float()
        made: Tensor = between + 10 * correction.reshape(between.shape)
        return made.clamp(_FLOOR_DB - 20, 20)


class Block(nn.Module):
    """Depthwise convolution over frames, then a feed-forward layer, added to the input.

    Attributes
    ----------
    reach : int
        Frames on either side that a frame comes of.
    """

    reach = _KERNEL // 2

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, _KERNEL, padding=self.reach, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, expansion * width)
        self.down = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[batch, frame, width]`` of the same shape."""
        y = self.norm(self.mix(x.transpose(1, 2)).transpose(1, 2))
        return x + self.scale * cast(Tensor, self.down(functional.gelu(self.up(y))))


def band_centres() -> NDArray[np.float64]:
    """Return the centre of each band, in Hz, from the lowest to the highest."""
    below = round(_PER_OCTAVE * math.log2(_TURN / _LOWEST))
    low = _LOWEST * 2 ** (np.arange(below) / _PER_OCTAVE)
    above = math.floor(_PER_OCTAVE_ABOVE * math.log2(_HIGHEST / low[-1]))
    return np.append(low, low[-1] * 2 ** (np.arange(1, above + 1) / _PER_OCTAVE_ABOVE))


def _filters(
    centres: NDArray[np.float64], how: _Analysis, subhop: int, sample_rate: int
) -> tuple[Tensor, int]:
    """Return triangles ``[bin, band]`` over the power spectrum, and which bin is the first.

    A band is as wide as to its neighbours, and at least as the bins are.
    """
    earlier = max((one.below for one in _ANALYSES if one.below < how.below), default=0.0)
    length = how.transform * subhop
    step = sample_rate / length
    frequencies = np.arange(length // 2 + 1) * step
    ratios = np.append(centres[1:], centres[-1] ** 2 / centres[-2]) / centres
    below = np.append(centres[0] / ratios[0], centres[:-1])
    columns = []
    for centre, low, high in zip(centres, below, centres * ratios, strict=True):
        if not earlier <= centre < how.below:
            continue
        low, high = min(low, centre - 1.001 * step), max(high, centre + 1.001 * step)
        rising, falling = (
            (frequencies - low) / (centre - low),
            (high - frequencies) / (high - centre),
        )
        column = np.maximum(0, np.minimum(rising, falling))
        columns.append(column / column.sum())
    filters = np.stack(columns, axis=1).astype(np.float32)
    used = np.flatnonzero(filters.sum(1))
    return torch.from_numpy(filters[used[0] : used[-1] + 1]), int(used[0])


def _interpolation(
    centres: NDArray[np.float64], window_length: int, sample_rate: int
) -> NDArray[np.float32]:
    """Return what each bin is of the bands beside it, ``[band, bin]``, linear in pitch."""
    frequencies = np.fft.rfftfreq(window_length, 1 / sample_rate).clip(centres[0], centres[-1])
    pitches, places = np.log2(frequencies), np.log2(centres)
    identity = np.eye(len(centres), dtype=np.float32)
    return np.stack([np.interp(pitches, places, row) for row in identity]).astype(np.float32)


def _companded(decibels: Tensor) -> Tensor:
    return torch.where(decibels > _KNEE, decibels, _KNEE + (decibels - _KNEE) * _SLOPE)


def _expanded(levels: Tensor) -> Tensor:
    return torch.where(levels > _KNEE, levels, _KNEE + (levels - _KNEE) / _SLOPE)


def _in_subframes(frames: Tensor) -> Tensor:
    """Return ``[batch, 3 * frame, band]`` of ``[batch, frame, band]``, linear in time."""
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
    after = torch.cat([frames[:, 1:], frames[:, -1:]], dim=1)
    parts = [(2 * frames + before) / 3, frames, (2 * frames + after) / 3]
    return torch.stack(parts, dim=2).flatten(1, 2)


def _cut(samples: Tensor, first: int, last: int) -> Tensor:
    """Return samples first to last of ``[batch, samples]``, zeros where there are none."""
    length = samples.shape[-1]
    inner = samples[..., max(first, 0) : max(min(last, length), 0)]
    return functional.pad(inner, (max(-first, 0), max(last - max(length, first), 0)))
