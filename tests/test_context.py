import numpy as np
import pytest

from vampprompt.context import Context
from vampprompt.errors import MaskError
from vampprompt.units import Beats, Grid

GRID = Grid(4, 10)
SAMPLES = np.linspace(-1, 1, 7680, dtype=np.float32)


class Listener:
    """Counts how often it is asked, and remembers what it was given."""

    name = "listener"

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def __call__(self, samples, *rest):
        assert samples is SAMPLES
        self.asked.append(rest)
        return self.answer


def test_analyses_run_when_asked_for_and_once():
    beats = Listener(Beats(np.array([0.1, 0.2]), np.array([0.1])))
    onsets, meter = Listener(np.array([0.05])), Listener(np.zeros(10))
    context = Context(
        GRID, samples=SAMPLES, beat_tracker=beats, onset_detector=onsets, loudness_meter=meter
    )
    assert not beats.asked + onsets.asked + meter.asked
    for _ in range(2):
        assert context.beats is beats.answer
        assert context.onsets is onsets.answer
        assert context.loudness is meter.answer
        assert context.timeline.position("1beat") == 11
    assert beats.asked == [(44100,)]
    assert onsets.asked == [(44100,)]
    assert meter.asked == [(768, 10)]


def test_frames_and_seconds_ask_for_no_beats():
    beats = Listener(Beats.none())
    context = Context(GRID, samples=SAMPLES, beat_tracker=beats)
    assert context.timeline.position("0.1s") == 5
    assert not beats.asked


def test_other_analyses_run_once_too():
    context = Context(GRID)
    asked = []
    for _ in range(2):
        assert context.once(("key", 1), lambda: asked.append(1) or "heard") == "heard"
    assert len(asked) == 1


@pytest.mark.parametrize("analysis", ["beats", "onsets", "loudness"])
def test_what_is_missing_is_named(analysis):
    with pytest.raises(MaskError, match="the context has none"):
        getattr(Context(GRID), analysis)
    with pytest.raises(MaskError, match="the clip's audio"):
        getattr(
            Context(
                GRID,
                beat_tracker=Listener(None),
                onset_detector=Listener(None),
                loudness_meter=Listener(None),
            ),
            analysis,
        )
