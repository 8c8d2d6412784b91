"""What is released belongs together: packages, types, version, licence, citation."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]
SETUPTOOLS = SETTINGS["tool"]["setuptools"]


def test_every_package_is_released():
    folders = [file.parent for file in (ROOT / "vampprompt").rglob("__init__.py")]
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(SETUPTOOLS["packages"]) == names | {"vampprompt_cli"}


@pytest.mark.parametrize("package", ["vampprompt", "vampprompt_cli"])
def test_whatever_is_no_code_is_released_too(package):
    folder = ROOT / SETUPTOOLS["package-dir"].get(package, package)
    patterns = SETUPTOOLS["package-data"][package]
    released = {file for pattern in patterns for file in folder.glob(pattern)}
    assert folder / "py.typed" in released
    files = {file for file in folder.rglob("*") if file.is_file() and file.suffix != ".py"}
    assert released == {file for file in files if "__pycache__" not in file.parts}


def test_citation_and_changelog_are_of_this_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    required = {"cff-version", "message", "title", "authors", "version", "license", "references"}
    assert citation.keys() >= required
    assert citation["version"] == PROJECT["version"] == version("vampprompt")
    assert citation["license"] == PROJECT["license"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_contributing_knows_every_target():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, rest = (ROOT / "Makefile").read_text().partition("\n.PHONY:")
    targets = rest.partition("\n")[0].split()
    assert [target for target in targets if f"make {target}" not in text] == ["demo"]
