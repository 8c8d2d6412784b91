"""The controls of VampNet's own app, read as a mask and settings.

Clients of that app, such as the Max patches of unloop, send them by position. This is one reader
of the mask language among others: what comes out is a text that `vampprompt compose` takes as well.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, fields
from typing import Any

from vampprompt.errors import VampPromptError

_NONE = ("", "none", "default")
# The app's control goes from 0 to 10, and the number that its sampler used was ten times that.
_MASK_TEMPERATURE = 10


@dataclass(frozen=True)
class Controls:
    """The app's controls, in the order in which its endpoint takes them, behind the recording.

    Attributes
    ----------
    periodic_p : float
        Of each so many frames, one is kept; 0 for none.
    onset_mask_width : float
        Of that, only what lies within so many frames of an onset is kept; 0 for all.
    beat_mask_ms : float
        So many milliseconds from each beat on are kept as well.
    downbeats_only : bool
        Of those, only from the first beats of bars on.
    pitch_shift_amt : float
        In semitones.
    rand_mask_intensity : float
        Share of the tokens that chance does not keep.
    periodic_w : float
        Frames kept in each period.
    n_conditioning_codebooks : float
        So many of the coarsest codebooks are kept all along.
    stretch_factor : float
        Whole factor to lengthen by.
    prefix_s, suffix_s : float
        Seconds to keep at either end.
    masktemp : float
        A tenth of the sampler's mask temperature.
    sampletemp : float
        The sampler's temperature.
    top_p : float
        0 for none.
    typical_filtering : bool
        Whether to filter by typicality.
    typical_mass, typical_min_tokens : float
        How.
    use_coarse2fine : bool
        Had no effect in the app, and has none here.
    num_steps : float
        Passes over the coarse codebooks.
    dropout : float
        Share of the kept frames to leave out after all.
    seed : float
        0 for any.
    lora_choice : str
        A fine-tune of the model; ``None`` for none.
    """

    periodic_p: float = 3
    onset_mask_width: float = 5
    beat_mask_ms: float = 0
    downbeats_only: bool = False
    pitch_shift_amt: float = 0
    rand_mask_intensity: float = 1
    periodic_w: float = 1
    n_conditioning_codebooks: float = 0
    stretch_factor: float = 1
    prefix_s: float = 0
    suffix_s: float = 0
    masktemp: float = 1.5
    sampletemp: float = 1
    top_p: float = 0
    typical_filtering: bool = False
    typical_mass: float = 0.15
    typical_min_tokens: float = 64
    use_coarse2fine: bool = True
    num_steps: float = 36
    dropout: float = 0
    seed: float = 0
    lora_choice: str = "None"

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None:  # as of an empty field
                object.__setattr__(self, one.name, one.default)
            elif isinstance(one.default, str):
                object.__setattr__(self, one.name, str(value))
            else:
                is_number = isinstance(value, (int, float)) and math.isfinite(value)
                if not is_number or (value < 0 and one.name != "pitch_shift_amt"):
                    raise VampPromptError(f"{one.name} is {value!r:.40}, and must be at least 0")


def given_by(controls: Controls) -> dict[str, Any]:
    """Return what controls mean, as `Desk.submit` takes it: mask, sampler and other settings.

    Examples
    --------
    >>> given = given_by(Controls(periodic_p=7, onset_mask_width=0, beat_mask_ms=50, seed=3))
    >>> given["mask"], given["seed"]
    ('periodic(7) | beat(after=50ms)', 3)
    """
    finetune = controls.lora_choice.strip()
    return {
        "mask": _mask(controls),
        "sampler": _sampler(controls),
        "pitch": _number(controls.pitch_shift_amt),
        "stretch": max(1, _whole("stretch_factor", controls.stretch_factor)),
        "seed": _whole("seed", controls.seed) or 1 + secrets.randbelow(2**31),
        "finetune": None if finetune.lower() in _NONE else finetune,
    }


def _mask(controls: Controls) -> str:
    hints = []
    if controls.rand_mask_intensity < 1:
        hints.append(f"random({_number(1 - controls.rand_mask_intensity)})")
    for name, seconds in (("prefix", controls.prefix_s), ("suffix", controls.suffix_s)):
        if seconds:
            hints.append(f"{name}({_number(seconds)}s)")
    if period := _whole("periodic_p", controls.periodic_p):
        width = _whole("periodic_w", controls.periodic_w)
        hints.append(f"periodic({period}{f', width={width}' if width != 1 else ''})")
    mask = " | ".join(hints)
    if mask and (width := _whole("onset_mask_width", controls.onset_mask_width)):
        mask = f"({mask})" if len(hints) > 1 else mask
        # The app's width goes to either side of an onset.
        mask = f"{mask} & onset(before={width}, after={width - 1})"
    if controls.beat_mask_ms:
        beat = "downbeat" if controls.downbeats_only else "beat"
        mask = " | ".join(filter(None, [mask, f"{beat}(after={_number(controls.beat_mask_ms)}ms)"]))
    if mask and controls.dropout:
        mask = f"drop({mask}, {_number(controls.dropout)})"
    if n_codebooks := _whole("n_conditioning_codebooks", controls.n_conditioning_codebooks):
        mask = " | ".join(filter(None, [mask, f"codebook<{n_codebooks}"]))
    return mask or "nothing"


def _sampler(controls: Controls) -> str:
    filters = []
    if controls.typical_filtering:
        least = _whole("typical_min_tokens", controls.typical_min_tokens)
        filters.append(f"typical(mass={_number(controls.typical_mass)}, min_tokens={least})")
    if controls.top_p:
        filters.append(f"top-p(p={_number(controls.top_p)})")
    settings = {
        "steps": _whole("num_steps", controls.num_steps),
        "temperature": _number(controls.sampletemp),
        "mask_temperature": _number(_MASK_TEMPERATURE * controls.masktemp),
        "filters": f"[{', '.join(filters)}]",
    }
    return f"confidence({', '.join(f'{name}={value}' for name, value in settings.items())})"


def _whole(name: str, value: float) -> int:
    if value != int(value):
        raise VampPromptError(f"{name} is {value}, and must be a whole number")
    return int(value)


def _number(value: float) -> float:
    """Return a number as people write it: 0.1 for what is left of 1 after 0.9."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
