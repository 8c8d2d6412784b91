"""Options that several commands have: those of `vampprompt.Settings`, and of where to compute."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

import typer

import vampprompt as vp
from vampprompt import Recipe, Settings, VampPromptError

from .output import log, notice, volume

if TYPE_CHECKING:
    from vampprompt import Audio, Bundle, Song

Command: TypeAlias = Callable[..., None]


def _completed(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    return lambda incomplete: [
        name for name in names() if name.startswith(incomplete) and name.isprintable()
    ]


sampler_names = _completed(lambda: vp.samplers.samplers)
tracker_names = _completed(lambda: vp.analysis.trackers)
# Those that need no download.
model_names = _completed(lambda: (one.name for one in vp.models.available()))

Mask = Annotated[str, typer.Option("--mask", "-m", help="What to keep, in the mask language.")]
Define = Annotated[
    list[str] | None, typer.Option(help="A mask with a name: verse=4s..12s. Repeatable.")
]
Masks = Annotated[Path | None, typer.Option("--masks", help="A TOML file of masks with names.")]
Cache = Annotated[bool, typer.Option(help="Remember what was heard in a file.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Dtype = Annotated[
    str | None,
    typer.Option(
        help="Precision of the token models: auto, float32 or bfloat16.",
        show_default="auto: bfloat16 on cuda, else float32",
    ),
]
Batch = Annotated[int, typer.Option(min=1, max=1024, help="Most windows in one forward pass.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite also what is not ours.")]
_COMPLETIONS = {"sampler": sampler_names, "fine_sampler": sampler_names, "beats": tracker_names}
_PLAIN = {int: int, float: float, bool: bool, tuple[int, ...]: int}


def options_of(settings: type[Any]) -> list[inspect.Parameter]:
    """Return an option for each setting, without a value where nothing is said."""
    hints = get_type_hints(settings, include_extras=True)
    return [_option(one.name, one.default, hints[one.name]) for one in fields(settings)]


def _option(name: str, default: Any, hint: Any) -> inspect.Parameter:
    kind = next((_PLAIN[each] for each in _PLAIN if hint.__origin__ == each), str)
    help_text = next(each for each in hint.__metadata__ if isinstance(each, str))
    shown = default if kind is not bool else ("" if default else "no-") + name.replace("_", "-")
    option = typer.Option(
        *(("--mask", "-m") if name == "mask" else ()),
        help=help_text,
        show_default=False if default in (None, MISSING) else f"{shown}",
        autocompletion=_COMPLETIONS.get(name),
    )
    return _parameter(name, Annotated[kind | None, option], None)


@dataclass(frozen=True)
class Plan:
    """Settings that make sense, and where to compute, before a model is loaded.

    The fields before `recipe` are options; `settings` are what the command line gives of
    `vampprompt.Settings`, and what a recipe says where it gives nothing. What it leaves to the
    model is known by `settings_for`.
    """

    define: Define = None
    masks: Masks = None
    steps: Annotated[
        int | None,
        typer.Option(
            help="Passes over the coarse codebooks.", show_default="the sampler's, mostly 36"
        ),
    ] = None
    like: Annotated[
        Path | None,
        typer.Option(
            "--recipe", help="Compose as the .json beside a song says; what else is given wins."
        ),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            help="'starter', a folder, or a repository such as hugggof/vampnet.",
            show_default="starter",
            autocompletion=model_names,
        ),
    ] = None
    finetune: Annotated[
        str | None, typer.Option(help="A fine-tune that the model has; none takes a recipe's off.")
    ] = None
    lora: Annotated[
        Path | None, typer.Option(help="A file of low-rank updates; none takes a recipe's off.")
    ] = None
    device: Device = "auto"
    dtype: Dtype = None
    batch: Batch = 8
    cache: Cache = True
    given: dict[str, Any] = field(default_factory=dict)
    recipe: Recipe | None = None

    @classmethod
    def of(cls, given: dict[str, Any], **own: Any) -> Plan:
        """Read settings.

        Raises
        ------
        VampPromptError
            If one of them makes no sense, or no mask is among them.
        """
        plan = cls(**own)
        recipe = None if plan.like is None else Recipe.read(plan.like)
        said = {name: value for name, value in given.items() if value is not None}
        if "mask" in said:
            said["mask"] = vp.parse(said["mask"], definitions_of(plan.define or [], plan.masks))
        elif recipe is None:
            raise VampPromptError("no mask is given", hint='try --mask "beat & codebook<3"')
        if plan.steps is not None:
            like = said.get("sampler") or (recipe.settings.sampler if recipe else None)
            sampler = vp.samplers.from_text(like) if isinstance(like, str) else like
            # Steps that make no sense are found out without a model, too.
            taken = vp.samplers.with_steps(sampler or vp.samplers.Confidence(), plan.steps)
            said |= {"sampler": taken} if sampler else {}
        plan = replace(plan, given=said, recipe=recipe)
        return replace(plan, given={name: getattr(plan.settings, name) for name in said})

    @property
    def settings(self) -> Settings:
        """How to compose."""
        if self.recipe is None:
            return Settings(**self.given)
        return replace(self.recipe.settings, **self.given)

    def settings_for(self, bundle: Bundle) -> Settings:
        """How to compose with a model, its own defaults in place of what nobody says."""
        return self.settings.of(bundle, self.steps)

    @property
    def is_changed(self) -> bool:
        """Whether it makes another song than its recipe."""
        return bool(
            self.given or self.steps or self.model or self.finetune or self.lora or self.dtype
        )

    @property
    def files(self) -> list[Path]:
        """What is read beside recordings: by masks and trackers, and as options."""
        given = (self.masks, self.like, self.lora)
        return [*map(Path, self.settings.files), *(path for path in given if path)]

    def load(self) -> Bundle:
        """Load the model.

        Raises
        ------
        VampPromptError
            If it is not there, or no longer the one that the recipe was made with, or a default
            of its own makes no sense.
        """
        how: dict[str, Any] = {"device": self.device, "on_notice": notice}
        if self.dtype is not None:
            how["dtype"] = self.dtype
        if self.recipe is not None and not (self.model or self.finetune or self.lora):
            bundle = vp.bundle_of(self.recipe, **how)
        else:
            like = dict(self.recipe.model) if self.recipe and not self.model else {}
            like.pop("identity", None)
            named = {"name": self.model, "finetune": self.finetune, "lora": self.lora}
            said = {name: value for name, value in named.items() if value is not None}
            none = {name: None for name, value in said.items() if str(value) == "none"}
            bundle = vp.load(**like | said | none | how)
        log.info(
            "loaded %s (%s) on %s in %s",
            *(bundle.name, bundle.identity, bundle.device, bundle.reference["dtype"]),
        )
        # What is wrong with its defaults comes out here, once, whatever is composed.
        log.info("samplers: %s; fine: %s", *self.settings_for(bundle).stages)
        return bundle

    def compose(self, bundle: Bundle, audio: Audio | None = None, **watching: Any) -> Song:
        """Compose, without a recording from that of the recipe.

        Raises
        ------
        VampPromptError
            As `vampprompt.compose` does.
        """
        source = audio or (self.recipe.source if self.recipe else None)
        if source is None:
            raise VampPromptError(
                "the recipe's audio was never in a file", hint="give the recording again"
            )
        how = self.settings_for(bundle)
        settings = {one.name: getattr(how, one.name) for one in fields(how)}
        watching |= {"cache": self.cache, "batch": self.batch}
        return vp.compose(source, bundle=bundle, **settings, **watching)


def definitions_of(define: list[str], file: Path | None) -> dict[str, str]:
    """Return the user's own names with their expressions, from options and from a file.

    Raises
    ------
    VampPromptError
        If one is no definition, or two have the same name.
    """
    found = {} if file is None else vp.masks.read_definitions(file)
    for text in define:
        name, expression = vp.masks.read_definition(text)
        if name in found:
            raise VampPromptError(f"'{name}' is defined twice", hint="choose another name")
        found[name] = expression
    return found


def planned(command: Command) -> Command:
    """Return a command with the options of a `Plan`, which it gets in their place."""
    own = [one for one in _parameters(command) if one.name != "plan"]
    names = [one.name for one in fields(Plan)][:-2]
    of_plan = [one for one in _parameters(Plan) if one.name in names]
    settings = options_of(Settings)

    def call(**given: Any) -> None:
        said = {one.name: given.pop(one.name) for one in settings}
        plan = Plan.of(said, **{name: given.pop(name) for name in names})
        command(**given, plan=plan)

    return _presented(call, command, [*own, *settings, *of_plan])


def with_volume(command: Command) -> Command:
    """Return a command that also takes ``--quiet`` and ``--verbose``."""

    def call(*, quiet: bool, verbose: bool, **given: Any) -> None:
        with volume(quiet, verbose):
            command(**given)

    extra = {
        "quiet": typer.Option("--quiet", "-q", help="Say only results and errors."),
        "verbose": typer.Option("--verbose", "-v", help="Say what is being done."),
    }
    options = [_parameter(name, Annotated[bool, option], False) for name, option in extra.items()]
    return _presented(call, command, [*_parameters(command), *options])


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _parameters(command: Callable[..., Any]) -> list[inspect.Parameter]:
    found = inspect.signature(command).parameters.values()
    hints = get_type_hints(command, vars(inspect.getmodule(command)), include_extras=True)
    return [_parameter(one.name, hints.get(one.name), one.default) for one in found]


def _presented(call: Command, command: Command, parameters: list[inspect.Parameter]) -> Command:
    """Let a function look to Typer as a command does, but with other parameters."""
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call
