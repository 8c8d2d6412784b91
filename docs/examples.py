"""The examples of the manual: where they stand, and the files that they speak of.

An indented line that begins with ``vampprompt`` is a command; a fenced block of Python is a
program. The tests run them all, and the pictures are made by them.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vampprompt as vp

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGES = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("index", "start", "prompts", "masks", "samplers")),
    *(DOCS / f"{name}.md" for name in ("beats", "models", "report", "extending", "vampnet")),
    *sorted((DOCS / "recipes").glob("*.md")),
]
RECIPES = [page for page in PAGES if page.parent.name == "recipes" and page.stem != "index"]
_EXAMPLE = re.compile(
    r"^```python\n(?P<program>.*?)^```$|^    (?P<command>vampprompt (?:[^\n]*\\\n)*[^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
PICTURE = re.compile(r"!\[([^\]]*)\]\((?:\.\./)?pictures/([\w-]+)\.png\)")
# What stands for a picture says what it shows.
MASK = re.compile(r"What (.+) keeps")
SAMPLER = re.compile(r"When (.+) settles? each token")
STEPS = re.compile(r"(.+) after each of (\d+) steps")
# What is kept in a picture of steps.
BEATS = "beat & codebook<3"


@dataclass(frozen=True)
class Example:
    """A command or a program of a page."""

    text: str
    is_command: bool
    page: Path
    line: int

    def run(self, names: dict[str, Any]) -> None:
        """Run it in the current folder; a program with, and into, these names."""
        if self.is_command:
            from vampprompt_cli.main import app

            arguments = shlex.split(self.text.replace("\\\n", " "), comments=True)[1:]
            if app(arguments, standalone_mode=False):
                raise RuntimeError(f"{self.text} failed")
        else:
            # So that a mistake is reported at its line of the page.
            code = "\n" * self.line + self.text
            exec(compile(code, self.page, "exec"), names)


def examples(page: Path) -> Iterator[Example]:
    """Yield the examples of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for match in _EXAMPLE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["command"]:
            yield Example(match["command"], True, page, line)
        else:
            yield Example(match["program"], False, page, line)


def run_recipe(page: Path) -> tuple[vp.Audio, vp.Song]:
    """Run the programs of a recipe, and return what its song was made from, and the song."""
    names: dict[str, Any] = {}
    for example in examples(page):
        if not example.is_command:
            example.run(names)
    song = names["song"]
    return names.get("clip") or vp.read(song.recipe.source.path), song


def source_of(picture: str, page: Path) -> str:
    """Return what a picture is drawn from: its own text, or the programs of a recipe."""
    if page.parent.name != "recipes":
        return picture
    return "".join(example.text for example in examples(page) if not example.is_command)


def prepare(folder: Path, seconds: float = 60.0) -> None:
    """Make the files that the examples speak of, none longer than so many seconds."""
    loop = vp.read(DOCS / "audio" / "loop.wav")
    n_samples = min(loop.n_samples, round(seconds * loop.sample_rate))
    samples, rate = loop.samples[:, :n_samples], loop.sample_rate
    length = n_samples / rate

    def save(name: str, sound: np.ndarray) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        vp.write(path, vp.Audio(np.ascontiguousarray(sound, np.float32), rate, "PCM_16"))

    save("in.wav", samples)
    half = n_samples // 2
    save("a.wav", samples[:, :half])
    save("b.wav", samples[:, half:])
    save("loops/one.wav", samples[:, :half])
    save("loops/two.wav", samples[:, half:])
    # Somebody clapped where the clip shall stay as it is.
    claps = np.random.default_rng(0).normal(0, 0.2, samples.shape)
    place = np.arange(n_samples) / n_samples
    save("mask.wav", np.where((place % 0.5 > 0.1) & (place % 0.5 < 0.25), claps, 0))
    names = ("verse", "chorus", "verse", "chorus")
    lines = [
        f"{length * start:.6f}\t{length * stop:.6f}\t{name}\n"
        for start, stop, name in zip((0, 0.25, 0.5, 0.75), (0.25, 0.5, 0.75, 1), names, strict=True)
    ]
    (folder / "song.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "song.toml").write_text('verse = "4s..12s"\nquiet = "verse - loud"\n')
    wedge = np.arange(9)[:, None] < np.abs(np.linspace(-9, 9, 64))[None, :]
    Image.fromarray(np.uint8(wedge * 255)).save(folder / "mask.png")
    # The layout of the published model, with random weights.
    model = folder / "hugggof" / "vampnet"
    (model / "loras" / "choir").mkdir(parents=True)
    reference = ROOT / "tests" / "data" / "reference"
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(reference / f"{name}.pth", model)
    shutil.copy(reference / "coarse_lora.pth", model / "loras" / "choir" / "coarse.pth")
    shutil.copy(reference / "lora_only.pth", folder / "choir.pth")
