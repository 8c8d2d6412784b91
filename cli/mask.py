"""`vampprompt mask`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import vampprompt as vp
from vampprompt import VampPromptError

from .options import Cache, Define, Masks, definitions_of, model_names, tracker_names
from .output import AsJson, as_json, notice, results
from .places import check_places, read_recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vampprompt import Clip
    from vampprompt.masks import Mask


def mask(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="The recording; - is standard input.")
    ],
    expression: Annotated[
        str, typer.Option("--mask", "-m", help="What to keep, in the mask language.")
    ],
    define: Define = None,
    masks: Masks = None,
    model: Annotated[
        str,
        typer.Option(
            help="Decides how many codebooks and how long a frame is.", autocompletion=model_names
        ),
    ] = "starter",
    beats: Annotated[
        str,
        typer.Option(
            help="Beat tracker: auto, librosa, madmom, steady(120bpm), file('x.beats').",
            autocompletion=tracker_names,
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option(help="As for compose.")] = 0,
    span: Annotated[
        str | None, typer.Option(help="Show only this stretch: 1:00..1:10, 8bars..12bars.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw waveform, spectrogram, events and mask.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help='Write the mask as a .png that image("mask.png") reads.')
    ] = None,
    npy: Annotated[
        Path | None, typer.Option(help='Write the mask as array("keep.npy") reads it.')
    ] = None,
    json: AsJson = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what each part of the mask keeps by itself.")
    ] = False,
    cache: Cache = True,
) -> None:
    """Show what a mask keeps of a recording, without composing."""
    from vampprompt.masks import explain as explained

    wanted = vp.parse(expression, definitions_of(define or [], masks))
    stretch = None if span is None else vp.parse(span)
    written = {"--plot": plot, "--image": image, "--npy": npy}
    tracker = vp.analysis.tracker(beats)
    of_terms = (*wanted.files, *getattr(tracker, "files", ()))
    files = [source, masks, *map(Path, of_terms)]
    check_places(((option, path) for option, path in written.items() if path), filter(None, files))
    recording = read_recording(source)
    shape = vp.models.shape_of(model, on_notice=notice)
    context = vp.prepare(recording, shape, beats=tracker, seed=seed, cache=cache)
    keep = wanted.array(context)
    shown = None if stretch is None else _frames(stretch, context)
    from . import grid

    if npy is not None:
        _write_array(npy, keep)
    if image is not None:
        grid.write_image(image, keep)
    if plot is not None:
        grid.plot(plot, f"{source.name}: {expression}", keep, context)
    parts = explained(wanted, context) if explain else []
    found = _facts(wanted, keep, context, shape.vocab_size)
    if json:
        tree = [{"mask": str(part.mask), "depth": part.depth, "kept": part.kept} for part in parts]
        as_json(**found | ({"parts": tree} if explain else {}))
        return
    console = results()
    grid.draw(console, keep, context.grid, context.beats, context.onsets, shown)
    for line in grid.tree(parts):
        console.print(line, no_wrap=True, overflow="ellipsis", soft_wrap=False)
    console.print(
        f"keeps {found['kept']:.1%}, regenerates {1 - found['kept']:.1%}; "
        f"the prompt is {found['bits_per_second']:.0f} of {found['bits_per_second_of_all']:.0f} "
        f"bit/s; heard {len(found['beats'])} beats, {len(found['downbeats'])} downbeats, "
        f"{len(found['onsets'])} onsets"
    )


def _frames(span: Mask, context: Clip) -> tuple[int, int]:
    """Return the frames of a stretch: from the first that it keeps to behind the last."""
    import numpy as np

    frames = np.flatnonzero(span.array(context).any(axis=0))
    if not len(frames):
        raise VampPromptError("nothing of the recording lies in --span", hint='try "1:00..1:10"')
    return int(frames[0]), int(frames[-1]) + 1


def _facts(mask: Mask, keep: NDArray[np.bool_], context: Clip, vocab_size: int) -> dict[str, Any]:
    grid = context.grid
    # A token of a vocabulary of 1024 is worth ten bits.
    rate_of_all = float(grid.n_codebooks * grid.frame_rate * math.log2(vocab_size))
    return {
        "mask": str(mask),
        "n_codebooks": grid.n_codebooks,
        "n_frames": grid.n_frames,
        "frames_per_second": float(grid.frame_rate),
        "kept": float(keep.mean()),
        "kept_by_codebook": keep.mean(axis=1).tolist(),
        "bits_per_second": float(keep.mean()) * rate_of_all,
        "bits_per_second_of_all": rate_of_all,
        "beats": context.beats.beats.tolist(),
        "downbeats": context.beats.downbeats.tolist(),
        "onsets": context.onsets.tolist(),
    }


def _write_array(path: Path, keep: NDArray[np.bool_]) -> None:
    import numpy as np

    from vampprompt.files import atomic

    with atomic(path) as part, part.open("wb") as file:
        np.save(file, keep)
