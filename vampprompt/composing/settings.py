"""How to compose: one value that Python, recipes and command lines fill in alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from vampprompt import analysis, masks
from vampprompt.errors import VampPromptError
from vampprompt.language.term import Term, read_fields, readers
from vampprompt.language.values import Positive, file_path, number, whole
from vampprompt.masks.base import Mask, operand
from vampprompt.protocols import BeatTracker, Sampler

# The fine codebooks follow closely from the coarse ones and need fewer passes.
FINE_STEPS = 12


def _mask(value: Any) -> Mask:
    return masks.parse(value) if isinstance(value, str) else operand(value)


def _sampler(value: Any) -> Sampler | None:
    from vampprompt import samplers

    return samplers.from_text(value) if isinstance(value, str) else _callable(value, "sampler")


def _tracker(value: Any) -> BeatTracker:
    tracker: BeatTracker = (
        analysis.tracker(value) if isinstance(value, str) else _callable(value, "beat tracker")
    )
    return tracker


def _callable(value: Any, what: str) -> Any:
    if value is not None and not callable(value):
        raise VampPromptError(f"{value!r:.80} is no {what}", hint="give its text")
    return value


def _variations(value: Any) -> tuple[int, ...]:
    chosen = value if isinstance(value, Sequence) and not isinstance(value, str) else None
    indices = tuple(map(whole(0), range(whole(1)(value)) if chosen is None else chosen))
    if not indices:
        raise VampPromptError("there are none to make", hint="ask for at least 1")
    return indices


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise VampPromptError(f"{value!r:.80} is neither true nor false")
    return value


# Defaults as a user would write them, which are read as everything else.
_CONFIDENCE: Any = "confidence"
_ONE: Any = 1
_AUTO: Any = "auto"
_SEMITONES = number(
    lambda value: abs(value) <= 48, "between -48 and 48 semitones", "an octave is 12 semitones"
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to compose from a recording.

    A setting is one line here: its name, type and check, help and default. `compose` takes it,
    a recipe stores it and the command line has an option for it.

    Attributes
    ----------
    mask : Mask
        What to keep.
    sampler : Sampler
        For the coarse codebooks.
    fine_sampler : Sampler or None
        For the fine ones; by default `sampler` with at most 12 steps.
    seed : int
        Everything random follows from it.
    variations : tuple of int
        How many, or which. Variation ``i`` is the same whichever others are made.
    passes : int
        Each further pass composes from the last one's tokens, with the mask evaluated on what
        is heard then.
    stretch : int
        Whole factor by which to lengthen the clip; the new frames are never kept.
    pitch : float
        Semitones to shift the input by first.
    keep_audio : bool
        Crossfade the original samples back in where a frame is kept in every codebook.
    beats : BeatTracker
        ``auto``, ``librosa``, ``madmom`` or one of your own.

    Raises
    ------
    VampPromptError
        If a setting makes no sense.

    Examples
    --------
    >>> how = Settings(mask="beat&codebook<3", sampler="confidence(steps=12)", variations=2)
    >>> str(how.mask), how.variations, how.passes
    ('beat & codebook<3', (0, 1), 1)
    """

    mask: Annotated[Mask, _mask, "What to keep, in the mask language."]
    sampler: Annotated[Sampler, _sampler, 'A name, or with settings: "typical(mass=0.15)".'] = (
        _CONFIDENCE
    )
    fine_sampler: Annotated[Sampler | None, _sampler, "The same for the fine codebooks."] = None
    seed: Annotated[int, whole(0), "Same seed, same song."] = 0
    variations: Annotated[tuple[int, ...], _variations, "How many songs to make."] = _ONE
    passes: Annotated[Positive, "Feed the song back in this often."] = 1
    stretch: Annotated[Positive, "Whole factor to lengthen by."] = 1
    pitch: Annotated[float, _SEMITONES, "Semitones to shift the input by."] = 0.0
    keep_audio: Annotated[bool, _flag, "Put the original samples back where all is kept."] = False
    beats: Annotated[BeatTracker, _tracker, "Beat tracker: auto, librosa, madmom."] = _AUTO

    def __post_init__(self) -> None:
        read_fields(self)
        if self.fine_sampler is not None and self.fine_sampler == self._usual_fine_sampler:
            object.__setattr__(self, "fine_sampler", None)
        if self.keep_audio and self.stretch > 1:
            raise VampPromptError(
                "stretched audio has no original samples to keep", hint="leave out --keep-audio"
            )

    @property
    def stages(self) -> tuple[Sampler, Sampler]:
        """The samplers of the coarse and of the fine codebooks."""
        return self.sampler, self.fine_sampler or self._usual_fine_sampler

    @property
    def _usual_fine_sampler(self) -> Sampler:
        from vampprompt import samplers

        return samplers.fewer_steps(self.sampler, FINE_STEPS)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the mask and the beat tracker read."""
        return tuple(dict.fromkeys(path for one in (self.mask, self.beats) for path in _files(one)))

    def written(self) -> dict[str, Any]:
        """Return the settings as what JSON can hold."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        found["sampler"], found["fine_sampler"] = self.stages
        if not isinstance(self.beats, Term):
            found["beats"] = getattr(self.beats, "name", self.beats)
        return {name: _written(value) for name, value in found.items()}


def _files(term: Any) -> Iterator[str]:
    if isinstance(term, Term):
        for name, read in readers(type(term)).items():
            if read is file_path:
                yield getattr(term, name)
        for child in term.children:
            yield from _files(child)


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (bool, int, float)) else str(value)
