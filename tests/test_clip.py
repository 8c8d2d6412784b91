import numpy as np
import pytest

from vampprompt.audio import Audio
from vampprompt.clip import Clip
from vampprompt.errors import MaskError
from vampprompt.units import Beats, Grid

GRID = Grid(4, 10)
AUDIO = Audio(np.linspace(-1, 1, 7680, dtype=np.float32)[None], 44100)


class Listener:
    """Counts how often it is asked, and remembers what it was given."""

    name = "listener"

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def __call__(self, samples, *rest):
        assert np.array_equal(samples, AUDIO.samples[0])
        self.asked.append(rest)
        return self.answer


def test_analyses_run_when_asked_for_and_once():
    beats = Listener(Beats(np.array([0.1, 0.2]), np.array([0.1])))
    onsets, meter = Listener(np.array([0.05])), Listener(np.zeros(10))
    clip = Clip(
        GRID,
        audio=AUDIO,
        lufs=-np.inf,
        beat_tracker=beats,
        onset_detector=onsets,
        loudness_meter=meter,
    )
    assert not beats.asked + onsets.asked + meter.asked
    for _ in range(2):
        assert clip.beats is beats.answer
        assert clip.onsets is onsets.answer
        assert clip.loudness is meter.answer
        assert clip.timeline.position("1beat") == 11
    assert beats.asked == [(44100,)]
    assert onsets.asked == [(44100,)]
    assert meter.asked == [(768, 10)]


def test_frames_and_seconds_ask_for_no_beats():
    beats = Listener(Beats.none())
    clip = Clip(GRID, audio=AUDIO, beat_tracker=beats)
    assert clip.timeline.position("0.1s") == 5
    assert not beats.asked


def test_other_analyses_run_once_too():
    clip = Clip(GRID)
    asked = []
    for _ in range(2):
        assert clip.once(("key", 1), lambda: asked.append(1) or "heard") == "heard"
    assert len(asked) == 1


@pytest.mark.parametrize("analysis", ["beats", "onsets", "loudness"])
def test_what_is_missing_is_named(analysis):
    with pytest.raises(MaskError, match="the clip has none"):
        getattr(Clip(GRID), analysis)
    with pytest.raises(MaskError, match="the clip's audio"):
        getattr(
            Clip(
                GRID,
                beat_tracker=Listener(None),
                onset_detector=Listener(None),
                loudness_meter=Listener(None),
            ),
            analysis,
        )
