"""`vampprompt doctor`."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from inspect import signature
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from vampprompt.errors import VampPromptError

from .output import AsJson, as_json, complaints, results

_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}
# Where a library is imported by another name than it is installed by.
_MODULES = {"descript-audio-codec": "dac", "pillow": "PIL"}


@dataclass(frozen=True)
class Finding:
    """What is known of one thing.

    Attributes
    ----------
    what : str
        The thing.
    state : str
        ok, missing or broken.
    detail : str
        Its version, its size, or what is wrong.
    mend : str
        The command that mends it.
    is_needed : bool
        Whether composing needs it.
    """

    what: str
    state: str
    detail: str
    mend: str = ""
    is_needed: bool = False


def doctor(json: AsJson = False) -> None:
    """Tell what is here, what is missing, and the commands that mend it.

    Exits with 2 if composing cannot work. Other things may be missing.
    """
    console = complaints() if json else results()
    ill = []
    for number, (title, examine) in enumerate(EXAMINATIONS.items()):
        if not json:
            console.print(f"{chr(10) * bool(number)}{title}", style="bold")
        for finding in _examined(title, examine):
            if json:
                as_json(about=title, **asdict(finding))
            else:
                _show(console, finding)
            if finding.is_needed and finding.state != "ok":
                ill.append(finding.what)
    if not json:
        console.print()
    if ill:
        console.print(f"composing does not work: see {', '.join(ill)}")
        raise typer.Exit(2)
    console.print("composing works")


def _examined(title: str, examine: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield from examine()
        # A doctor must not fall ill of what it examines.
        except Exception as error:
            yield Finding(title, "broken", f"{type(error).__name__}: {error}")


def _show(console: Console, finding: Finding) -> None:
    line = Text(f"  {finding.state:<7}  ", style=_STYLES[finding.state])
    detail = " ".join(finding.detail.split())
    line.append(f"{finding.what:<20}  {detail}".rstrip(), style="default")
    console.print(line)
    if finding.mend:
        console.print(f"           {finding.mend}")


def _libraries() -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.partition(" ")[0])
    try:
        yield Finding("vampprompt", "ok", version("vampprompt"))
        needed = requires("vampprompt") or []
    except PackageNotFoundError:
        yield Finding("vampprompt", "broken", "is not installed", _pip("install", "vampprompt"))
        return
    for requirement in needed:
        if "extra ==" not in requirement:
            yield _library(requirement.partition(";")[0].strip())


def _library(requirement: str) -> Finding:
    name = re.split(r"[^\w.-]", requirement)[0]
    try:
        detail = version(name)
    except PackageNotFoundError:
        mend = _pip("install", requirement)
        return Finding(name, "missing", "is not installed", mend, is_needed=True)
    try:
        import_module(_MODULES.get(name, name.replace("-", "_")))
    except Exception as error:
        mend = _pip("install", "--force-reinstall", requirement)
        detail += f" cannot be imported: {error}"
        return Finding(name, "broken", detail, mend, is_needed=True)
    return Finding(name, "ok", detail)


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("cpu", "ok", f"{torch.get_num_threads()} threads")
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        device = torch.cuda.get_device_properties(number)
        size = f"{device.total_memory / 2**30:.0f} GiB"
        yield Finding(f"cuda:{number}", "ok", f"{device.name}, {size}")
    if torch.backends.mps.is_available():
        yield Finding("mps", "ok", "")
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        detail = f"there is a GPU, and torch {torch.__version__} cannot use it"
        mend = _pip("install", "--force-reinstall", "torch", "torchaudio")
        yield Finding("cuda", "missing", detail, mend)


def _trackers() -> Iterator[Finding]:
    import numpy as np

    from vampprompt.analysis import describe, tracker, trackers

    rate = 44100
    clicks = np.zeros(3 * rate, np.float32)
    clicks[:: rate // 2] = 0.5
    for name in trackers:
        try:
            known = signature(trackers.get(name)).parameters.values()
            if any(one.default is one.empty for one in known):
                continue  # it hears nothing before it is told of what
            chosen = tracker(name)
            chosen(clicks, rate)
            yield Finding(name, "ok", describe(chosen) if name == "auto" else "")
        except VampPromptError as error:
            missing = "is not installed" in error.message
            mend = (error.hint or "").replace("pip install", _pip("install"))
            yield Finding(name, "missing" if missing else "broken", error.message, mend)
        except Exception as error:
            yield Finding(name, "broken", f"{type(error).__name__}: {error}")


def _models() -> Iterator[Finding]:
    from huggingface_hub import constants

    from vampprompt.models import available

    for one in available():
        if one.missing:
            mend = _pip("install", "--force-reinstall", "--no-deps", "vampprompt")
            yield Finding(one.name, "missing", f"lacks {', '.join(one.missing)}", mend)
        else:
            yield Finding(one.name, "ok", _size(sum(one.sizes[file] for file in one.layout)))
    yield Finding("downloads go to", "ok", str(constants.HF_HUB_CACHE))


def _composing() -> Iterator[Finding]:
    import vampprompt as vp

    try:
        import numpy as np

        noise = np.random.default_rng(0).normal(0, 0.1, (1, 11025)).astype(np.float32)
        sampler = vp.samplers.Confidence(steps=1)
        audio = vp.Audio(noise, 44100)
        song = vp.compose(audio, "periodic(7)", vp.load(), sampler=sampler, cache=False)
    except Exception as error:
        reason = error.message if isinstance(error, VampPromptError) else repr(error)
        mend = _pip("install", "--force-reinstall", "vampprompt")
        yield Finding("compose", "broken", reason, mend, is_needed=True)
    else:
        yield Finding("compose", "ok", f"0.25 s of sound in {song.seconds:.1f} s")


def _caches() -> Iterator[Finding]:
    from vampprompt.analysis import location

    folder = location()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (probe := folder / ".probe").touch()
        probe.unlink()
    except OSError as error:
        mend = f"export VAMPPROMPT_CACHE={shlex.quote(str(Path.home() / 'vampprompt-cache'))}"
        yield Finding("analyses", "broken", f"cannot write to {folder}: {error.strerror}", mend)
        return
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    yield Finding("analyses", "ok", f"{folder}, {_size(size)}")


def _formats() -> Iterator[Finding]:
    import soundfile

    from vampprompt.audio import ENDINGS, READABLE

    lacking = sorted({"FLAC", "MP3", "OGG"} - soundfile.available_formats().keys())
    detail = soundfile.__libsndfile_version__
    if lacking:
        mend = _pip("install", "--upgrade", "--force-reinstall", "soundfile")
        yield Finding("libsndfile", "broken", f"{detail}, without {' '.join(lacking)}", mend)
    else:
        yield Finding("libsndfile", "ok", detail)
    yield Finding("written", "ok", " ".join(ENDINGS))
    yield Finding("read besides", "ok", " ".join(sorted(set(READABLE) - set(ENDINGS))))


def _plugins() -> Iterator[Finding]:
    from vampprompt import analysis, masks, models, samplers

    found = False
    for registry in (masks.masks, samplers.samplers, analysis.trackers, models.codecs):
        for point in entry_points(group=registry.group):
            found = True
            package = point.dist.name if point.dist else point.value
            what = f"{registry.kind} {point.name}"
            detail = f"{package} {point.dist.version if point.dist else ''}"
            mend = _pip("uninstall", package)
            try:
                loaded = point.load()
                known = registry.get(point.name)
            except Exception as error:
                yield Finding(what, "broken", f"{detail} cannot be loaded: {error}", mend)
                continue
            if known is loaded:
                yield Finding(what, "ok", detail)
            else:
                yield Finding(what, "broken", f"{detail} has a name that is taken", mend)
    if not found:
        yield Finding("none", "ok", "")


EXAMINATIONS = {
    "libraries": _libraries,
    "devices": _devices,
    "beat trackers": _trackers,
    "models": _models,
    "cache": _caches,
    "audio formats": _formats,
    "plugins": _plugins,
    "composing": _composing,
}


def _pip(*arguments: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", *arguments])


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"
