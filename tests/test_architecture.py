"""Who may import whom, so that each room can be understood, tested and replaced alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE, CLI = "vampprompt", "vampprompt_cli"

# What each room may import of the package, beside itself. Public names alone see every room
# that needs no extra, and the command line sees nothing but public names.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "seeds": {"errors"},
    "files": {"errors"},
    "audio": {"errors", "files"},
    "protocols": {"errors", "units"},
    "language": {"errors", "units"},
    "clip": {"errors", "units", "language", "audio", "files", "protocols", "seeds"},
    "masks": {"errors", "units", "language", "clip", "audio", "files", "protocols", "seeds"},
    "samplers": {"errors", "language", "protocols", "seeds"},
    "models": {"errors", "units", "language", "audio", "files", "protocols", "seeds"},
    "analysis": {"errors", "units", "language", "audio", "files", "protocols"},
}
ALLOWED["composing"] = {*ALLOWED}
# Those with an extra stand beside each other.
ALLOWED |= {room: {*ALLOWED} for room in ("report", "training", "evaluation")}
ALLOWED["studio"] = {*ALLOWED["report"], "report"}
ALLOWED[PACKAGE] = {*ALLOWED["studio"]}
ALLOWED["__main__"] = {CLI}  # `python -m vampprompt` is the command
OPEN = {"errors", "units", "files", "audio"}  # of which the command line may see every name
WATCHED = {PACKAGE, CLI, "cli", "typer", "rich", ""}  # "": the package writes them in full


def imports(code: str) -> Iterator[tuple[str, str]]:
    """All imports as (module, name), also those inside functions and those for types."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def seen(sources: Mapping[str, str], module: str) -> set[str]:
    """The modules that a module imports, wherever in it."""
    found = set()
    for source, name in imports(sources[module]):
        if source.startswith(".") and module.startswith(CLI):
            source = f"{CLI}.{source[1:]}".rstrip(".")
        inner = f"{source}.{name}"
        found.add(inner if inner in sources else source)
    return found


def room_of(module: str) -> str:
    package, _, inner = module.partition(".")
    return inner.partition(".")[0] or PACKAGE if package == PACKAGE else package


def upward(sources: Mapping[str, str], module: str) -> set[str]:
    """What a module of the package imports though its room may not."""
    allowed = {room_of(module)} | ALLOWED.get(room_of(module), set())
    watched = {one for one in seen(sources, module) if one.partition(".")[0] in WATCHED}
    return {f"{module} sees {one}" for one in watched if room_of(one) not in allowed}


def circles(sources: Mapping[str, str]) -> set[str]:
    """The sets of modules that see each other."""
    near = {module: seen(sources, module) & sources.keys() for module in sources}

    def reached(module: str) -> set[str]:
        found: set[str] = set()
        ahead = [module]
        while ahead:
            new = near[ahead.pop()] - found
            found |= new
            ahead += new
        return found

    far = {module: reached(module) for module in sources}
    return {
        " and ".join(sorted(other for other in far[module] if module in far[other]))
        for module in sources
        if module in far[module]
    }


def private(sources: Mapping[str, str], module: str, public: set[str]) -> set[str]:
    """What a module of the command line imports of the package though it is not public."""
    given = {f"{source}.{name}".rstrip(".") for source, name in imports(sources[module])}
    ours = {name for name in given if name.partition(".")[0] == PACKAGE}
    return {f"{module} sees {name}" for name in ours - public}


def module_of(path: Path) -> str:
    folder, *inner = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([CLI if folder == "cli" else folder, *inner]).removesuffix(".__init__")


PATHS = [path for folder in (PACKAGE, "cli") for path in sorted((ROOT / folder).rglob("*.py"))]
SOURCES = {module_of(path): path.read_text(encoding="utf-8") for path in PATHS}
COMMANDS = [module for module in SOURCES if module.partition(".")[0] == CLI]
MODULES = [module for module in SOURCES if module not in COMMANDS]


@pytest.fixture(scope="session")
def public() -> set[str]:
    """The names that a user may rely on: of the package, of its rooms, and of what is open."""
    rooms = {module_of(path) for path in PATHS if path.name == "__init__.py"} - {CLI}
    found = rooms | {f"{PACKAGE}.{name}" for name in OPEN}
    for name in list(found):
        module = import_module(name)
        names = module.__all__ if name in rooms else vars(module)
        found |= {f"{name}.{one}" for one in names if not one.startswith("_")}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    assert room_of(module) in ALLOWED, "say in this test what the new room may import"
    found = upward(SOURCES, module)
    assert not found


def test_there_are_no_circles() -> None:
    found = circles(SOURCES)
    assert not found


@pytest.mark.parametrize("module", COMMANDS)
def test_the_command_line_sees_only_what_is_public(module: str, public: set[str]) -> None:
    found = private(SOURCES, module, public)
    assert not found


HOUSE = {
    "vampprompt": "from vampprompt.masks import Mask",
    "vampprompt.errors": "import numpy",
    "vampprompt.units": "from vampprompt.errors import VampPromptError",
    "vampprompt.masks": "from vampprompt.masks.base import Mask",
    "vampprompt.masks.base": "from vampprompt import units",
    "vampprompt.masks.shape": "from vampprompt.masks.base import Mask",
    "vampprompt.samplers.core": "import vampprompt.errors",
    "vampprompt_cli.main": "import rich, vampprompt as vp\nfrom vampprompt.masks import Mask",
}
IN_A_FUNCTION = "def f():\n    if x:\n        from {} import y"
FOR_TYPES = "if TYPE_CHECKING:\n    from {} import y"


def faults(sources: Mapping[str, str]) -> set[str]:
    public = {PACKAGE, "vampprompt.masks", "vampprompt.masks.Mask"}
    found = circles(sources)
    for module in sources:
        cli = module.startswith(CLI)
        found |= private(sources, module, public) if cli else upward(sources, module)
    return found


def test_a_house_in_order_has_no_faults() -> None:
    assert not faults(HOUSE)


@pytest.mark.parametrize(
    ("module", "code", "found"),
    [
        ("masks.base", "from vampprompt import compose", "{} sees vampprompt"),
        ("masks.base", "import vampprompt.composing", "{} sees vampprompt.composing"),
        ("masks.base", IN_A_FUNCTION.format("vampprompt.report"), "{} sees vampprompt.report"),
        ("units", FOR_TYPES.format("vampprompt.masks"), "{} sees vampprompt.masks"),
        ("samplers.core", "from vampprompt.masks import Mask", "{} sees vampprompt.masks"),
        ("studio", "import vampprompt.training.loop", "{} sees vampprompt.training.loop"),
        ("report.page", "from vampprompt_cli import main", "{} sees vampprompt_cli.main"),
        ("report.page", IN_A_FUNCTION.format("typer"), "{} sees typer"),
        ("masks.base", "from .shape import dilate", "{} sees .shape"),
        ("attic", "import vampprompt.errors", "{} sees vampprompt.errors"),
        ("masks.base", FOR_TYPES.format("vampprompt.masks.shape"), "{} and vampprompt.masks.shape"),
        ("masks.base", "from vampprompt.masks import Mask", "vampprompt.masks and {}"),
    ],
)
def test_a_fault_is_found_wherever_it_is(module: str, code: str, found: str) -> None:
    module = f"{PACKAGE}.{module}"
    assert found.format(module) in faults(HOUSE | {module: code})


@pytest.mark.parametrize("name", ["masks.base", "masks", "samplers.core", "_private"])
def test_what_is_not_public_is_found(name: str) -> None:
    code = FOR_TYPES.format(f"{PACKAGE}.{name}")
    found = faults(HOUSE | {"vampprompt_cli.main": code})
    assert found == {f"vampprompt_cli.main sees vampprompt.{name}.y"}


def test_commands_that_see_each_other_are_found() -> None:
    code = {"vampprompt_cli.main": "from .mask import mask", "vampprompt_cli.mask": "import x"}
    assert not faults(code)
    code["vampprompt_cli.mask"] = IN_A_FUNCTION.format(".main")
    assert faults(code) == {"vampprompt_cli.main and vampprompt_cli.mask"}


HEAVY = "librosa madmom matplotlib dac audiotools transformers IPython"


@pytest.mark.parametrize(
    ("use", "heavy"),
    [
        ("import vampprompt", f"torch {HEAVY}"),
        ("import vampprompt; [getattr(vampprompt, name) for name in vampprompt.__all__]", HEAVY),
        ("import vampprompt_cli.main", f"torch {HEAVY}"),
    ],
)
def test_importing_loads_nothing_heavy(use: str, heavy: str) -> None:
    code = f"{use}\nimport sys; print(*sys.modules.keys() & {heavy.split()})"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
