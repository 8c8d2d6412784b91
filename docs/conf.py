"""How Sphinx builds the manual: `make docs`."""

import sys
import tomllib
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the extensions in this folder

_about = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]

project = _about["name"]
release = _about["version"]
html_title = f"{project} {release}"

extensions = ["myst_parser", "docs.reference", "docs.players"]
myst_enable_extensions = ["deflist"]
# So that pages can link to each other's headings, as on the web.
myst_heading_anchors = 3
nitpicky = True
exclude_patterns = ["audio", "notebooks"]
# What stands in single backticks in a docstring is a name, if it is a public one.
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = False
napoleon_use_ivar = True
# A short name that several rooms have means the one that is described.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_js_files = ["manual.js"]
html_show_copyright = False
# What is indented is commands and what they print, in no language that could be coloured.
highlight_language = "none"


def setup(app: Sphinx) -> None:
    # Pygments knows another language by this name.
    app.add_lexer("mask", TextLexer)
