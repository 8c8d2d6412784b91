"""What a sampler did, step by step: to be saved, and drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vampprompt.errors import SamplerError
from vampprompt.protocols import Step

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Trace:
    """Records each step of one call of a sampler, given to it as ``on_step``.

    Attributes
    ----------
    tokens : list of ndarray
        int64, ``[batch, codebook, frame]``, after each step, with mask tokens.
    masked : list of ndarray
        bool, of the same shape: what is still masked after each step.
    confidence : list of ndarray
        float32, of the same shape, +inf where a step sampled nothing; empty for samplers whose
        order does not depend on scores.

    Examples
    --------
    >>> import vampprompt as vp
    >>> trace = Trace()
    >>> def on_step(stage, step):
    ...     if stage == "coarse":
    ...         trace(step)
    >>> how = {"sampler": "confidence(steps=3)", "on_step": on_step}
    >>> song = vp.compose("in.wav", "nothing", vp.load("starter"), **how)
    >>> [int(masked.sum()) for masked in trace.masked]
    [200, 115, 0]
    >>> settling_steps(trace).shape
    (4, 58)
    """

    tokens: list[NDArray[np.int64]] = field(default_factory=list)
    masked: list[NDArray[np.bool_]] = field(default_factory=list)
    confidence: list[NDArray[np.float32]] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        """Record a step.

        Raises
        ------
        SamplerError
            If the step does not follow the last one recorded.
        """
        if step.index != len(self.tokens):
            raise SamplerError(
                f"step {step.index} cannot follow {len(self.tokens)} recorded steps",
                hint="use a new Trace for each call of a sampler",
            )
        self.tokens.append(step.tokens.cpu().numpy())
        self.masked.append(step.masked.cpu().numpy())
        if step.confidence is not None:
            self.confidence.append(step.confidence.cpu().numpy())

    def save(self, path: str | Path) -> None:
        """Write the arrays, with steps as their first axis, to a compressed ``.npz`` file."""
        arrays: dict[str, Any] = {name: np.stack(each) for name, each in vars(self).items() if each}
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: list(arrays[name]) for name in arrays.files})


def plot(trace: Trace, item: int = 0, keep: NDArray[np.bool_] | None = None) -> Figure:
    """Draw in which step each token settled. Needs matplotlib.

    Parameters
    ----------
    trace : Trace
        The trace of a call.
    item : int
        Which batch item.
    keep : ndarray, optional
        bool, ``[codebook, frame]``: tokens to leave blank, as they were given, not sampled.

    Returns
    -------
    matplotlib.figure.Figure
        Codebooks over frames, colours for steps.
    """
    from matplotlib.figure import Figure

    settled = settling_steps(trace, item)
    if keep is not None:
        settled = np.ma.masked_where(keep, settled)
    figure = Figure(figsize=(10, 1.5 + 0.25 * len(settled)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(settled, aspect="auto", origin="lower", interpolation="nearest")
    axes.set(xlabel="frame", ylabel="codebook")
    figure.colorbar(image, label="step")
    return figure


def settling_steps(trace: Trace, item: int = 0) -> NDArray[np.int64]:
    """Return the step, from 0, in which each token settled, int64 ``[codebook, frame]``.

    It is 0 for kept tokens too.
    """
    steps: NDArray[np.int64] = np.sum([masked[item] for masked in trace.masked], axis=0)
    return steps
