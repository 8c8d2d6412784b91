"""Puts players beside the pictures of the manual, and makes what they play.

``sounds`` in the configuration says for which: ``all``, ``few`` (those of the README) or ``none``.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from docs.sounds import CACHE, ENDING, FEW, MOST_STEPS, PARTS, Sound, make, sounds, sweep

CHOICES: dict[str, Callable[[Sound], bool]] = {
    "all": lambda sound: True,
    "few": lambda sound: sound.name in FEW,
    "none": lambda sound: False,
}
# In bytes, of all sounds: pages that are read on a train.
MOST = 15_000_000
FOLDER = "sounds"

_log = logging.getLogger(__name__)


def compose_sounds(app: Sphinx) -> None:
    """Compose what the pages let one hear, and find a name in the site for each file."""
    choice = app.config.sounds
    if choice not in CHOICES:
        raise ExtensionError(f"sounds is '{choice}'; known: {', '.join(CHOICES)}")
    app.heard = {}  # type: ignore[attr-defined]
    wanted = [sound for sound in sounds() if CHOICES[choice](sound)]
    if not wanted or app.builder.format != "html":
        return
    cache, began = Path(app.config.sounds_cache), time.perf_counter()
    folders, composed = make(wanted, cache, app.config.sounds_steps)
    if composed:
        seconds = time.perf_counter() - began
        print(f"composed {len(composed)} of {len(wanted)} sounds in {seconds:.0f} s", flush=True)
    if choice == "all":
        sweep(cache, folders)
    for sound in wanted:
        app.heard[sound.name] = {  # type: ignore[attr-defined]
            part: (folders[sound.name] / f"{part}{ENDING}", _place(part, sound, folders))
            for part in PARTS
        }


def _place(part: str, sound: Sound, folders: dict[str, Path]) -> str:
    """Return a file's name in the site; recordings, most of which are one, by what is in them."""
    if part == "song":
        return f"{FOLDER}/{sound.name}{ENDING}"
    content = (folders[sound.name] / f"{part}{ENDING}").read_bytes()
    return f"{FOLDER}/{part}-{hashlib.sha256(content).hexdigest()[:8]}{ENDING}"


def add_players(app: Sphinx, page: nodes.document) -> None:
    """Put players below each picture that can be heard."""
    up = "../" * app.env.docname.count("/")
    for image in list(page.findall(nodes.image)):
        path = PurePosixPath(image["uri"])
        if path.parent.name != "pictures" or path.stem not in app.heard:  # type: ignore[attr-defined]
            continue
        players = "".join(
            f'<label>{part} <audio controls preload="none" src="{up}{place}"></audio></label>'
            for part, (_, place) in app.heard[path.stem].items()  # type: ignore[attr-defined]
        )
        html = f'<div class="heard">{players}</div>'
        image.parent.parent.insert(
            image.parent.parent.index(image.parent) + 1, nodes.raw("", html, format="html")
        )


def copy_sounds(app: Sphinx, error: Exception | None) -> None:
    """Put the files into the site, and none that are no more."""
    target = Path(app.outdir, FOLDER)
    shutil.rmtree(target, ignore_errors=True)
    if error or not app.heard:  # type: ignore[attr-defined]
        return
    target.mkdir(parents=True)
    for parts in app.heard.values():  # type: ignore[attr-defined]
        for source, place in parts.values():
            shutil.copy(source, Path(app.outdir, place))
    size = sum(file.stat().st_size for file in target.iterdir())
    print(f"{len(app.heard)} pictures can be heard, {size / 1e6:.1f} MB")  # type: ignore[attr-defined]
    if size > MOST:
        _log.warning("the sounds take %d bytes, more than %d", size, MOST)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("sounds", "all", "env", types=str)
    app.add_config_value("sounds_cache", str(CACHE), "", types=str)
    app.add_config_value("sounds_steps", MOST_STEPS, "", types=int)
    app.connect("builder-inited", compose_sounds)
    app.connect("doctree-read", add_players)
    app.connect("build-finished", copy_sounds)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
