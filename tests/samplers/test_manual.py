"""What docs/samplers.md says is so."""

import doctest
import re
from pathlib import Path

import pytest

from vampprompt.samplers import from_text, samplers

ROOT = Path(__file__).parent.parent.parent
MANUAL = ROOT / "docs" / "samplers.md"
PLUGIN = ROOT / "tests" / "data" / "plugin_sampler"
TEXT = MANUAL.read_text()


def test_its_python_runs():
    pytest.importorskip("matplotlib")
    ran = doctest.testfile(str(MANUAL), module_relative=False)
    assert ran.attempted > 10
    assert ran.failed == 0


@pytest.mark.parametrize("text", re.findall(r'--sampler "(.+)"', TEXT))
def test_its_samplers_can_be_read(text):
    if not text.startswith("middle-out"):
        from_text(text)


def test_it_names_every_sampler():
    assert {name for name in samplers if f"`{name}`" not in TEXT} == set()


def test_the_plugin_it_shows_is_the_one_that_is_tested():
    (shown,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert (PLUGIN / "middle_out.py").read_text().endswith(shown)
    (table,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert table in (PLUGIN / "pyproject.toml").read_text()
