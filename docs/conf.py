"""How Sphinx builds the manual: `make docs`."""

import tomllib
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

_about = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]

project = _about["name"]
release = _about["version"]
html_title = f"{project} {release}"

extensions = ["myst_parser"]
# So that pages can link to each other's headings, as on the web.
myst_heading_anchors = 3
nitpicky = True
exclude_patterns = ["audio"]

html_theme = "furo"
html_show_copyright = False
# What is indented is commands and what they print, in no language that could be coloured.
highlight_language = "none"


def setup(app: Sphinx) -> None:
    # Pygments knows another language by this name.
    app.add_lexer("mask", TextLexer)
