"""What HARP 3 asks of a Gradio app, so that a DAW composes: controls, process and cancel.

The host is told of the controls as JSON and sends their values in the same order. It knows no
other component than those named here, and wants as many tracks back as it was told of.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from vampprompt.audio import Audio, write
from vampprompt.errors import shown
from vampprompt.masks import PRESETS
from vampprompt.studio.callers import Callers
from vampprompt.studio.desk import KNOWN, Composed, Desk
from vampprompt.studio.marks import Mark, marks_of

CARD = {
    "name": "vampprompt",
    "description": "Keeps the tokens of a recording that a mask names, and composes the rest anew.",
    "author": "vampprompt",
    "tags": ["music", "vampnet", "variation", "inpainting"],
}
_MASK = "beat & codebook<3"
_MOST_STEPS = 100
_LARGEST_SEED = 2**31 - 1
# Alpha, red, green, blue.
_COLOURS = {"beat": 0x80808080, "downbeat": 0xFF404040, "kept": 0x603070F0}
# By which the host knows what to do with an answer.
_LABELS = "pyharp.LabelList"


class Control(NamedTuple):
    """A component of the page, and what the host is told of it."""

    component: Any
    facts: dict[str, Any]


_KINDS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "audio_track": (gr.Audio, {"type": "filepath"}),
    "text_box": (gr.Textbox, {}),
    "dropdown": (gr.Dropdown, {}),
    "slider": (gr.Slider, {}),
    "number_box": (gr.Number, {}),
}


def _control(kind: str, label: str, info: str | None = None, **settings: Any) -> Control:
    make, fixed = _KINDS[kind]
    facts = {"type": kind, "label": label, "info": info, **settings}
    for_host = {"required"} | ({"info"} if kind == "audio_track" else set())
    shown_too = {name: facts[name] for name in facts.keys() - for_host - {"type"}}
    return Control(make(**fixed, **shown_too), facts)


def _inputs(desk: Desk, n_tracks: int) -> dict[str, Control]:
    """Make the controls; their names are those of `Desk.submit`, but for the first and preset."""
    presets = [("as written above", ""), *((name, name) for name in PRESETS)]
    steps = f"{KNOWN['steps']} 0: as the sampler says."
    return {
        "source": _control("audio_track", "Recording", required=True),
        "mask": _control("text_box", "Mask", KNOWN["mask"], value=_MASK),
        "preset": _control(
            "dropdown",
            *("Preset", "A mask with a name, in place of the one above."),
            choices=presets,
            value="",
            multiselect=False,
        ),
        "sampler": _control(
            "text_box", "Sampler", f"{KNOWN['sampler']} Empty: the model's.", value=""
        ),
        "steps": _control(
            "slider", "Steps", steps, minimum=0, maximum=_MOST_STEPS, step=1, value=0
        ),
        "seed": _control(
            "number_box",
            *("Seed", KNOWN["seed"]),
            minimum=0,
            maximum=_LARGEST_SEED,
            step=1,
            value=0,
        ),
        "variations": _control(
            "slider",
            *("Variations", KNOWN["variations"]),
            minimum=1,
            maximum=n_tracks,
            step=1,
            value=1,
        ),
        "model": _control(
            "dropdown",
            "Model",
            choices=[(name, name) for name in desk.models],
            value=desk.models[0],
            multiselect=False,
        ),
    }


def add_endpoints(callers: Callers, folder: Path, n_tracks: int) -> None:
    """Add controls and endpoints to the Gradio app that is being built.

    Parameters
    ----------
    callers : Callers
        Those that are known so far.
    folder : Path
        Where songs are written.
    n_tracks : int
        How many tracks the host gets back; those beyond the variations asked for are silent.
    """
    inputs = _inputs(callers.desk, n_tracks)
    outputs = [
        _control("audio_track", f"Variation {number + 1}", required=False)
        for number in range(n_tracks)
    ]
    marks = gr.JSON(label="Labels", visible=False)
    layout = gr.JSON(visible=False)
    facts = {
        "card": CARD,
        "inputs": [one.facts for one in inputs.values()],
        "outputs": [
            *(one.facts for one in outputs),
            {"type": "json", "label": "Labels", "info": None},
        ],
    }

    async def process(request: gr.Request, source: str | None, *values: Any) -> list[Any]:
        given = dict(zip([*inputs][1:], values, strict=True))
        # A host's dropdown cannot write into its text box, as the page's does.
        given["mask"] = given.pop("preset") or given["mask"]
        given["steps"] = given["steps"] or None

        def finish(made: Composed) -> list[Any]:
            tracks = _written(made, source, folder, n_tracks)
            return [*map(str, tracks), labels_of(marks_of(made))]

        return await callers.compose(request, source, lambda: given, finish)

    def cancel(request: gr.Request) -> None:
        callers.cancel(request)

    with gr.Row():
        start, stop, tell = gr.Button("Compose"), gr.Button("Stop"), gr.Button(visible=False)
    components = [one.component for one in inputs.values()]
    every = {"queue": True, "concurrency_limit": None}
    tell.click(lambda: facts, [], [layout], api_name="controls", **every)
    tracks = [one.component for one in outputs]
    start.click(process, components, [*tracks, marks], api_name="process", **every)
    stop.click(cancel, [], [], api_name="cancel", **every)
    # The text is the truth: what is chosen is written there, and the choice taken back.
    mask, preset = inputs["mask"].component, inputs["preset"].component
    preset.input(
        lambda chosen, text: (PRESETS[chosen].text if chosen in PRESETS else text, ""),
        [preset, mask],
        [mask, preset],
        api_visibility="private",
    )


def _written(made: Composed, source: str | None, folder: Path, n_tracks: int) -> list[Path]:
    """Write the variations, and silence for the tracks that are left."""
    place = Path(tempfile.mkdtemp(dir=folder))
    stem = "".join(
        sign if sign.isalnum() or sign in "-_" else "-" for sign in Path(source or "").stem
    )
    song = made.song
    found = []
    for number in range(n_tracks):
        is_made = number < len(song.audio)
        samples = song.audio[number] if is_made else np.zeros_like(song.audio[0])
        audio = Audio(samples, song.sample_rate, song.subtype if is_made else None)
        path = place / f"{stem[:60]}-{f'vamp-{number + 1}' if is_made else 'empty'}.wav"
        write(path, audio)
        found.append(path)
    return found


def labels_of(marks: list[Mark]) -> dict[str, Any]:
    """Return marks as the host reads them."""
    return {
        "meta": {"_type": _LABELS},
        "labels": [
            {
                "label_type": "AudioLabel",
                "t": mark.start,
                "duration": mark.duration,
                "label": shown(mark.text, 100),
                "description": mark.more,
                "color": _COLOURS[mark.kind],
                "link": None,
                "amplitude": None,
            }
            for mark in marks
        ],
    }
