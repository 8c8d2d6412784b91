"""What is released belongs together: packages, types, version, licence, citation."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]
SETUPTOOLS = SETTINGS["tool"]["setuptools"]


def test_every_package_is_released() -> None:
    folders = [file.parent for file in (ROOT / "vampprompt").rglob("__init__.py")]
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(SETUPTOOLS["packages"]) == names | {"vampprompt_cli"}


@pytest.mark.parametrize(
    ("package", "folder"), [("vampprompt", "vampprompt"), ("vampprompt_cli", "cli")]
)
def test_whatever_is_no_code_is_released_too(package: str, folder: str) -> None:
    patterns = SETUPTOOLS["package-data"][package]
    released = {file for pattern in patterns for file in (ROOT / folder).glob(pattern)}
    assert ROOT / folder / "py.typed" in released
    others = {
        file
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".py" and "__pycache__" not in file.parts
    }
    assert others == released


def test_the_citation_is_of_this_version() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    required = {"cff-version", "message", "title", "authors", "version", "license", "references"}
    assert citation.keys() >= required
    assert citation["version"] == PROJECT["version"] == version("vampprompt")
    assert citation["license"] == PROJECT["license"]


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_contributing_knows_every_target() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [line] = [
        one for one in (ROOT / "Makefile").read_text().splitlines() if one.startswith(".PHONY")
    ]
    targets = line.removeprefix(".PHONY:").split()
    assert [target for target in targets if f"make {target}" not in text] == ["demo"]
