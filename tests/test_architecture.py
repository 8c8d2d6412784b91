"""Who may import whom, so that each part can be understood, tested and replaced alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "vampprompt"
CLI = "vampprompt_cli"

# What each part may import of the package, beside itself. A part not listed here knows the rest:
# it composes.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "seeds": set(),
    "registry": {"errors"},
    "audio": {"errors"},
    "units": {"errors", "registry"},
    "protocols": {"errors", "registry", "units"},
    "context": {"errors", "registry", "units", "protocols"},
    "masks": {"errors", "registry", "units", "protocols", "context", "seeds", "audio"},
    "samplers": {"errors", "registry", "protocols", "seeds"},
    "models": {"errors", "registry", "units", "protocols", "audio"},
    "analysis": {"errors", "registry", "units", "protocols", "audio"},
    "report": {"errors", "audio"},
}
COMPOSING = {"__init__", "clip", "compose", "hearing", "recipe", "song", "windows"}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """All imports as (module, name), also those inside functions, but not those for types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)
        else:
            yield from imports(node)


def imports_of(path: Path) -> list[tuple[str, str]]:
    return list(imports(ast.parse(path.read_text())))


def parts_seen(path: Path) -> set[str]:
    seen = set()
    for module, name in imports_of(path):
        package, _, inner = module.partition(".")
        assert package, "imports of the package are written in full"
        if package == PACKAGE:
            seen.add((inner or name).partition(".")[0])
    return seen


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_are_found_wherever_they_are() -> None:
    code = """
import a.b
if TYPE_CHECKING:
    from c import d
def f():
    if x:
        from e.f import g, h
"""
    assert list(imports(ast.parse(code))) == [("a.b", ""), ("e.f", "g"), ("e.f", "h")]


@pytest.mark.parametrize("path", sources(PACKAGE), ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    if part in ALLOWED:
        assert parts_seen(path) <= ALLOWED[part] | {part}
    else:
        assert part in COMPOSING, "say in this test what the new part may import"


@pytest.mark.parametrize("path", sources(PACKAGE), ids=name_of)
def test_nothing_sees_the_command_line(path: Path) -> None:
    packages = {module.partition(".")[0] for module, _ in imports_of(path)}
    assert not packages & {CLI, "cli", "typer", "rich"}


@pytest.mark.parametrize("path", sources("cli"), ids=name_of)
def test_the_command_line_sees_only_what_is_public(path: Path) -> None:
    for module, name in imports_of(path):
        if module.partition(".")[0] == PACKAGE:
            assert not any(word.startswith("_") for word in [*module.split("."), name])


@pytest.mark.parametrize(
    "use",
    [
        "import vampprompt",
        "import vampprompt; [getattr(vampprompt, name) for name in vampprompt.__all__]",
        "import vampprompt_cli.main",
    ],
)
def test_importing_loads_nothing_heavy(use: str) -> None:
    heavy = "'librosa', 'madmom', 'matplotlib', 'dac', 'audiotools', 'transformers', 'IPython'"
    code = f"{use}\nimport sys; print([name for name in [{heavy}] if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
