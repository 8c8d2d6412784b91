"""What docs/masks.md says is so, and its tables are those of the language.

``python tests/masks/test_manual.py`` writes the tables anew.
"""

import doctest
import inspect
import re
from pathlib import Path

import pytest

from vampprompt.language.term import summary, usage
from vampprompt.masks import PRESETS, masks, parse

MANUAL = Path(__file__).parents[2] / "docs" / "masks.md"


def names() -> str:
    rows = [f"| `{usage(name, masks.get(name))}` | {help_of(name)} |" for name in masks]
    return "\n".join(["| mask | |", "|---|---|", *rows])


def help_of(name: str) -> str:
    # In Markdown, what stands in double backticks stands in single ones.
    text = inspect.getdoc(masks.get(name)) or ""
    return text.partition("\n")[0].replace("``", "`")


def presets() -> str:
    texts = {name: one.text.replace("|", r"\|") for name, one in PRESETS.items()}
    rows = [f"| `{name}` | `{texts[name]}` | {one.help} |" for name, one in PRESETS.items()]
    return "\n".join(["| name | mask | |", "|---|---|---|", *rows])


def with_tables(text: str) -> str:
    for heading, table in (("## Names", names()), ("## Presets", presets())):
        start = text.index(heading)
        begin = text.index("-->\n", start) + 4
        end = text.index("<!-- end -->", begin)
        text = f"{text[:begin]}\n{table}\n\n{text[end:]}"
    return text


def test_the_tables_are_those_of_the_language():
    assert with_tables(MANUAL.read_text()) == MANUAL.read_text()


def test_every_name_has_a_line_for_the_command_line():
    assert all(summary(masks.get(name)) for name in masks)


def examples():
    block = re.search(r"```mask\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    return [line.split("  ")[0] for line in block[1].splitlines()]


@pytest.mark.parametrize("expression", examples())
def test_the_examples_are_masks(expression):
    from tests.masks.clips import Clip

    keep = parse(expression).evaluate(Clip(n_frames=300).context)
    assert 0 < keep.float().mean() < 1


def test_the_python_examples_run():
    ran = doctest.testfile(str(MANUAL), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert ran.attempted > 10
    assert not ran.failed


if __name__ == "__main__":
    MANUAL.write_text(with_tables(MANUAL.read_text()))
