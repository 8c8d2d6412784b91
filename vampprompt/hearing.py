"""What masks may ask of a recording, with the analyses that answer."""

from __future__ import annotations

from vampprompt import analysis
from vampprompt.audio import Audio
from vampprompt.clip import Clip, prepare
from vampprompt.context import Context
from vampprompt.models import Bundle
from vampprompt.protocols import BeatTracker
from vampprompt.seeds import derive
from vampprompt.units import Grid


def context_of(
    audio: Audio | Clip,
    bundle: Bundle,
    *,
    beats: str | BeatTracker = "auto",
    seed: int = 0,
    cache: bool = True,
) -> Context:
    """Return what masks may ask of a recording.

    Parameters
    ----------
    audio : Audio or Clip
        The recording, or it already prepared for the codec.
    bundle : Bundle
        Decides the grid of codebooks and frames; an `vampprompt.models.outline` will do.
    beats : str or BeatTracker
        The tracker, or its name.
    seed : int
        For random masks.
    cache : bool
        Whether analyses are kept on disk from one run to the next.

    Examples
    --------
    >>> import vampprompt as vp
    >>> context = vp.context_of(vp.read("in.wav"), vp.load("starter"))
    >>> vp.parse("codebook<3 & ..0.5s").evaluate(context).sum(dim=1)
    tensor([28, 28, 28,  0,  0,  0,  0,  0,  0])
    """
    codec = bundle.codec
    clip = audio if isinstance(audio, Clip) else prepare(audio, codec.sample_rate)
    n_frames = -(-clip.samples.shape[1] // codec.hop_length)
    tracker = analysis.tracker(beats) if isinstance(beats, str) else beats
    return Context(
        Grid(bundle.n_codebooks, n_frames, codec.sample_rate, codec.hop_length),
        seed=derive(seed),
        samples=clip.mono,
        beat_tracker=analysis.cached(tracker) if cache else tracker,
        onset_detector=analysis.cached(analysis.onsets) if cache else analysis.onsets,
        loudness_meter=analysis.frame_loudness,
    )
