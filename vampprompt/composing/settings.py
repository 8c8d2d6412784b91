"""How to compose: one value that Python, recipes and command lines fill in alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import numpy as np

from vampprompt import analysis, masks
from vampprompt.errors import ModelError, VampPromptError
from vampprompt.language.term import Term, read_fields, readers
from vampprompt.language.values import number, whole
from vampprompt.masks.base import Mask, operand
from vampprompt.models.layout import CONFIG, DEFAULTS
from vampprompt.protocols import BeatTracker, Sampler

if TYPE_CHECKING:
    from vampprompt.models import Bundle

# VampNet's, and that of each model which names none of its own.
USUAL_SAMPLER = "confidence"
# The fine codebooks follow closely from the coarse ones and need fewer passes.
FINE_STEPS = 12
# Of variations and of passes: more is a slip of the keyboard, and would fill any memory.
_MOST = 1000
_MOST_STRETCH = 100


@dataclass(frozen=True)
class InPython:
    """What stands in a recipe for a mask, sampler or beat tracker that no text says."""

    kind: str

    def __call__(self, *arguments: Any, **settings: Any) -> NoReturn:
        """Refuse.

        Raises
        ------
        VampPromptError
            Always: the recipe cannot bring it.
        """
        raise VampPromptError(
            f"the recipe needs '{self.kind}', which was made in Python",
            hint="give it again, as an argument of remake",
        )


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return masks.parse(value)
    if hasattr(value, "__array__"):  # of numpy or PyTorch
        return masks.given(value)
    return operand(value) if _in_python(value) is None else _in_python(value)


def _in_python(value: Any) -> InPython | None:
    """Return what stands for something made in Python, if JSON or this value is that."""
    if isinstance(value, dict) and value.keys() == {"python"}:
        return InPython(str(value["python"]))
    return value if isinstance(value, InPython) else None


def _sampler(value: Any) -> Any:
    from vampprompt import samplers

    return None if value is None else _callable(samplers.from_text, value, "sampler")


def _tracker(value: Any) -> Any:
    return None if value is None else _callable(analysis.tracker, value, "beat tracker")


def _callable(read: Callable[[str], Any], value: Any, what: str) -> Any:
    """Return what a text names, or what is given in its place if it can be called."""
    if isinstance(value, str):
        return read(value)
    if _in_python(value) is None and not callable(value):
        raise VampPromptError(f"{value!r:.80} is no {what}", hint="give its text")
    return _in_python(value) or value


def _variations(value: Any) -> tuple[int, ...]:
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        indices = tuple(map(whole(0), value))
    else:
        indices = tuple(range(whole(1, _MOST)(value)))
    if not indices or len(indices) > _MOST or len(set(indices)) < len(indices):
        raise VampPromptError(
            f"{len(indices)} songs, {len(set(indices))} of them different",
            hint=f"ask for 1 to {_MOST} different ones",
        )
    return indices


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise VampPromptError(f"{value!r:.80} is neither true nor false")
    return value


# Defaults as a user would write them, which are read as everything else.
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
    sampler : Sampler or None
        For the coarse codebooks; None for the model's own default, see `of`.
    fine_sampler : Sampler or None
        For the fine ones; None for `sampler` with at most 12 steps, or for the model's own default
        where `sampler` is that, too.
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
    beats : BeatTracker or None
        ``auto``, ``librosa``, ``madmom``, ``steady(120bpm)``, ``file("song.beats")`` or one of
        your own; None where no beat is asked for, or `auto` if one is.

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

    # Helps are plain text, which the reference in the manual can read.
    mask: Annotated[Mask, _mask, "What to keep, in the mask language."]
    sampler: Annotated[
        Sampler | None,
        _sampler,
        'A name, or with settings: "typical(mass=0.15)"; else the default that the model names, '
        "or confidence.",
    ] = None
    fine_sampler: Annotated[
        Sampler | None,
        _sampler,
        "The same for the fine codebooks; else the model's with its sampler, or the sampler "
        "in at most 12 steps.",
    ] = None
    seed: Annotated[int, whole(0), "Same seed, same song."] = 0
    variations: Annotated[tuple[int, ...], _variations, "How many songs to make."] = _ONE
    passes: Annotated[int, whole(1, _MOST), "Feed the song back in this often."] = 1
    stretch: Annotated[int, whole(1, _MOST_STRETCH), "Whole factor to lengthen by."] = 1
    pitch: Annotated[float, _SEMITONES, "Semitones to shift the input by."] = 0.0
    keep_audio: Annotated[bool, _flag, "Put the original samples back where all is kept."] = False
    beats: Annotated[
        BeatTracker | None,
        _tracker,
        'Beat tracker: auto, librosa, madmom, "steady(120bpm)" or "file(\'song.beats\')".',
    ] = _AUTO

    def __post_init__(self) -> None:
        read_fields(self)
        if self.sampler is not None and self.fine_sampler == _fine(self.sampler):
            object.__setattr__(self, "fine_sampler", None)
        if self.keep_audio and self.stretch > 1:
            raise VampPromptError(
                "stretched audio has no original samples to keep", hint="leave out --keep-audio"
            )
        for name, value in self._terms():
            if not _is_in_python(value) and not _reads_back(readers(Settings)[name], value):
                raise VampPromptError(
                    f"{name}: no text says this {type(value).__name__}, so no recipe could: "
                    f"'{value}' is something else, or nothing",
                    hint="give its class a name of its own and register it, as a plugin does",
                )

    def of(self, bundle: Bundle, steps: int | None = None) -> Settings:
        """Return the settings with what the model says where they say nothing.

        A sampler that is given is meant as it is, also for the fine codebooks.

        Parameters
        ----------
        bundle : Bundle
            Its `defaults`, and VampNet's where it names none.
        steps : int, optional
            For the model's sampler, and at most so many for its fine one.

        Raises
        ------
        ModelError
            If a default of the model makes no sense.

        Examples
        --------
        >>> from dataclasses import replace
        >>> import vampprompt as vp
        >>> bundle = replace(vp.load("starter"), defaults={"sampler": "confidence(steps=24)"})
        >>> str(Settings(mask="beat").of(bundle).sampler)
        'confidence(steps=24)'
        >>> str(Settings(mask="beat", sampler="halton").of(bundle).sampler)
        'halton'
        """
        if self.sampler is not None:
            return self
        unsaid = [name for name in DEFAULTS if getattr(self, name) is None]
        named = {name: bundle.defaults[name] for name in unsaid if name in bundle.defaults}
        texts: dict[str, Any] = {"sampler": USUAL_SAMPLER} | named
        try:
            how = replace(self, **texts)
        except VampPromptError as error:
            hint = f"{error.hint}; or " if error.hint else ""
            raise ModelError(
                f"the defaults in {CONFIG} of the model '{bundle.name}': {error.message}",
                hint=f"{hint}give a sampler yourself, which wins",
                span=error.span,
            ) from error
        return how if steps is None else how._in_steps(steps, self.fine_sampler)

    def _in_steps(self, steps: int, fine_sampler: Sampler | None) -> Settings:
        """Return the same in so many steps, but for a fine sampler that was given."""
        from vampprompt import samplers

        assert self.sampler is not None
        fine = self.fine_sampler
        if fine is not None and fine_sampler is None:
            fine = samplers.fewer_steps(fine, steps)
        sampler = samplers.with_steps(self.sampler, steps)
        return replace(self, sampler=sampler, fine_sampler=fine)

    @property
    def stages(self) -> tuple[Sampler, Sampler]:
        """The samplers of the coarse and of the fine codebooks, as of a model without defaults."""
        sampler = self.sampler or _sampler(USUAL_SAMPLER)
        return sampler, self.fine_sampler or _fine(sampler)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that mask, samplers and beat tracker read."""
        return tuple(dict.fromkeys(file for _, term in self._terms() for file in term.files))

    def with_files(self, move: Callable[[str], str]) -> Settings:
        """Return the same settings with their files elsewhere, as `move` says of each path."""
        moved: dict[str, Any] = {name: term.with_files(move) for name, term in self._terms()}
        return replace(self, **moved)

    def written(self) -> dict[str, Any]:
        """Return the settings as what JSON can hold."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.sampler is not None:
            found["fine_sampler"] = self.stages[1]
        return {name: _written(value) for name, value in found.items()}

    def _terms(self) -> list[tuple[str, Term]]:
        found = ((one.name, getattr(self, one.name)) for one in fields(self))
        return [(name, value) for name, value in found if isinstance(value, Term)]


def _fine(sampler: Sampler) -> Sampler:
    """Return what fills the fine codebooks where only the sampler of the coarse ones is known."""
    from vampprompt import samplers

    return samplers.fewer_steps(sampler, FINE_STEPS)


def _is_in_python(term: Any) -> bool:
    """Return whether a term, or one that it is made of, is of values that no text says."""
    return getattr(term, "in_python", False) or any(map(_is_in_python, term.children))


def _reads_back(read: Callable[[Any], Any], term: Term) -> bool:
    try:
        return bool(read(str(term)) == term)
    except VampPromptError:
        return False


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Term):
        return {"python": str(value)} if _is_in_python(value) else str(value)
    if callable(value):
        kind = value.kind if isinstance(value, InPython) else None
        named = value if hasattr(value, "__qualname__") else type(value)
        return {"python": kind or f"{named.__module__}.{named.__qualname__}"}
    return value
