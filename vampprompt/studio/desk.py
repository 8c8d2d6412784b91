"""What front ends ask for, checked before it stands in line, and composed in its turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from vampprompt import samplers
from vampprompt.audio import Audio, read
from vampprompt.composing import Settings, Song
from vampprompt.composing.compose import compose
from vampprompt.errors import FileError, VampPromptError, did_you_mean, shown
from vampprompt.files import check_readable
from vampprompt.models import Bundle, load, offered
from vampprompt.studio.jobs import Closing, Job, Queue

log = logging.getLogger(__name__)
T = TypeVar("T")

# Loaded at a time: clients that want different models in turn should not fill the memory.
_MOST_LOADED = 2
_LONGEST = 600
FAULT = "this is a fault of vampprompt, not yours: please report it"


@dataclass(frozen=True)
class Composed:
    """What was made, of what, and with what.

    Attributes
    ----------
    song : Song
        The song.
    audio : Audio
        The recording.
    bundle : Bundle
        The model.

    Examples
    --------
    >>> with Desk(["starter"]) as desk:
    ...     given = {"mask": "everything", "steps": 1}
    ...     made = desk.submit("in.wav", given, lambda composed: composed).done.result()
    >>> made.bundle.name, made.audio.duration, made.song.kept
    ('starter', 1.0, 1.0)
    """

    song: Song
    audio: Audio
    bundle: Bundle


class Desk(Closing):
    """Takes what is asked for, and has one worker compose it in its turn.

    Parameters
    ----------
    models : sequence of str
        Names of the models that clients may choose, as for `vampprompt.load`. The first one is
        taken where they choose none.
    root : Path, optional
        The folder below which clients may name files, for masks and beat trackers too; none
        without it.
    batch : int
        Most windows in one forward pass.
    **where
        ``device`` and ``dtype`` of `vampprompt.load`.

    Examples
    --------
    >>> with Desk(["starter"]) as desk:
    ...     given = {"mask": "periodic(7)", "steps": 2}
    ...     desk.submit("in.wav", given, lambda made: made.song.kept > 0.1).done.result()
    True
    """

    def __init__(
        self,
        models: Sequence[str] = ("starter",),
        *,
        root: str | Path | None = None,
        batch: int = 8,
        **where: Any,
    ) -> None:
        self.models = tuple(models)
        self.root = None if root is None else Path(root).resolve()
        self.queue = Queue()
        self._batch = batch
        self._where = where
        self._loaded: dict[tuple[str, str | None], Bundle] = {}

    def close(self) -> None:
        """Stop all that was asked for."""
        self.queue.close()

    def warm_up(self) -> None:
        """Load the first model now, so that nobody waits for it, and mistakes show.

        Raises
        ------
        ModelError
            As `vampprompt.load` does.
        """
        self._bundle(self.models[0], None)

    def place(self, path: str) -> Path:
        """Return where a file that a client names lies.

        Raises
        ------
        FileError
            If that is not below the root, links included, or there is no root.
        """
        if self.root is None:
            raise FileError(
                f"'{path}' is a file, and this server reads none of its own",
                hint="start it with --root FOLDER",
            )
        try:
            found = (self.root / path).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a null
            raise FileError(f"'{path}' is no path: {error}") from None
        if not found.is_relative_to(self.root):
            raise FileError(
                f"'{path}' is outside of what this server may read",
                hint="put it below the folder that --root names",
            )
        return found

    def submit(
        self,
        source: str | Path,
        given: Mapping[str, Any],
        then: Callable[[Composed], T],
        *,
        owner: str = "",
        listener: Callable[[str, int, int], None] | None = None,
    ) -> Job[T]:
        """Check what is asked for, and put it at the end of the line.

        Parameters
        ----------
        source : str or Path
            The recording, which the front end has found to be the client's own to name.
        given : mapping
            What the client says: settings of `vampprompt.Settings` as texts and numbers, ``steps``,
            and ``model`` and ``finetune``. None and empty texts are nothing said.
        then : callable
            What the worker does with it; its result is the job's.
        owner, listener
            As for `Job`.

        Raises
        ------
        VampPromptError
            If something cannot be read, makes no sense, or may not be named.
        """
        check_readable(source)
        said = {name: value for name, value in given.items() if value not in (None, "")}
        model = self._model(said.pop("model", self.models[0]), said.pop("finetune", None))
        settings, steps = self._settings(said)
        log.info("%s: %s, %s", owner or "a job", shown(source), settings)

        def work(job: Job[T]) -> T:
            bundle = self._bundle(*model)
            audio = read(source)
            job.check()
            how = settings.of(bundle, steps)
            song = compose(
                audio,
                bundle=bundle,
                batch=self._batch,
                on_progress=job.on_progress,
                on_step=job.on_step,
                **{one.name: getattr(how, one.name) for one in fields(how)},
            )
            return then(Composed(song, audio, bundle))

        return self.queue.submit(work, owner, listener)

    def _model(self, name: Any, finetune: Any) -> tuple[str, str | None]:
        if name not in self.models:
            hint = did_you_mean(str(name), self.models) or f"it has: {', '.join(self.models)}"
            raise VampPromptError(f"this server has no model '{name}'", hint=hint)
        if finetune is not None and finetune not in (known := offered(name).finetunes):
            hint = did_you_mean(str(finetune), known) or f"it has: {', '.join(known) or 'none'}"
            raise VampPromptError(f"'{name}' has no fine-tune '{finetune}'", hint=hint)
        return name, finetune

    def _bundle(self, name: str, finetune: str | None) -> Bundle:
        key = name, finetune
        if key not in self._loaded:
            while len(self._loaded) >= _MOST_LOADED:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[key] = load(name, finetune=finetune, **self._where)
        return self._loaded[key]

    def _settings(self, said: dict[str, Any]) -> tuple[Settings, int | None]:
        """Return the settings that a client said, and steps for the model's own sampler."""
        for name in said:
            if name not in KNOWN:
                hint = did_you_mean(name, KNOWN) or f"known: {', '.join([*KNOWN, 'model'])}"
                raise VampPromptError(f"there is no setting '{name}'", hint=hint)
        if "mask" not in said:
            raise VampPromptError("no mask is given", hint='try "beat & codebook<3"')
        said = {name: _plain(name, value) for name, value in said.items()}
        steps = said.pop("steps", None)
        settings = Settings(**said)
        if steps is not None:
            # Steps that make no sense are found out without a model, too.
            taken = samplers.with_steps(settings.sampler or samplers.Confidence(), steps)
            if settings.sampler is not None:
                settings, steps = replace(settings, sampler=taken), None
        if settings.files:
            settings = settings.with_files(lambda path: str(self.place(path)))
        return settings, steps


_HINTS = get_type_hints(Settings, include_extras=True)
# What a client may say of how to compose, with its help.
KNOWN = {
    one.name: next(each for each in get_args(_HINTS[one.name]) if isinstance(each, str))
    for one in fields(Settings)
} | {"steps": "Passes over the coarse codebooks."}


def _plain(name: str, value: Any) -> Any:
    """Return a value as `Settings` reads it: many clients know no whole numbers, or no booleans."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_flag = _HINTS.get(name, Annotated[Any, ""]).__origin__ is bool
    if is_flag and not isinstance(value, bool) and str(value).lower() in _FLAGS:
        return _FLAGS[str(value).lower()]
    return value


_FLAGS = {"0": False, "1": True, "false": False, "true": True}


def told(error: BaseException) -> str:
    """Return in one line what a client is to be told of an error, and what to do about it.

    What is no fault of the client's is written to the log, whole.
    """
    if not isinstance(error, VampPromptError):
        log.error("%s", FAULT, exc_info=error)
        return f"{FAULT} ({type(error).__name__}: {shown(error, _LONGEST)})"
    where = error.span
    place = f" at character {where.start + 1} of '{shown(where.text, 200)}'" if where else ""
    line = f"{shown(error.message, _LONGEST)}{place}"
    return f"{line}: {shown(error.hint, _LONGEST)}" if error.hint else line
