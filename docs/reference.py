"""Writes the API reference and the tables of the language, from the code, while Sphinx builds.

``.. room:: vampprompt.masks`` describes every public name of a room, by what its docstring says;
``table`` in a page of Markdown is one of those in `docs.tables`.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import stringify_signature

from docs.names import Name, first_of_all, public, rooms
from docs.tables import TABLES, unchecked
from vampprompt.language import usage

API = "api/"
# How autodoc is asked for what has members, and where those come from.
_MEMBERS = ("   :members:", "   :member-order: bysource", "   :special-members: __call__")
_FOOTNOTE = re.compile(r" ?\[(\d)\]_")
_CITED = re.compile(r"^(\s*)\.\. \[(\d)\] ", re.MULTILINE)


class Room(SphinxDirective):
    """Describes a room and its public names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what is to be read in place of the directive."""
        room = self.arguments[0]
        text = [f".. automodule:: {room}", ""]
        # Other rooms first, so that they make one list.
        for name in sorted(public(room), key=lambda name: name.full not in rooms()):
            text += [*self.described(name), ""]
        lines = StringList(text, source=f"the names of {room}")
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=False)

    def described(self, name: Name) -> list[str]:
        """Return the directives that describe a name."""
        first, kind = first_of_all()[name.full], name.kind
        if kind == "module" and name.full in rooms():
            return [f"- :py:mod:`{name.full}`"]
        if kind == "module":
            return [f".. automodule:: {name.full}", "   :members:"]
        if first != name:
            return [*head_of(name), f"   The same as `{first.full}`."]
        if kind in ("class", "exception"):
            return [f".. auto{kind}:: {name.full}", *_MEMBERS]
        if kind == "function":
            return [f".. autofunction:: {name.full}"]
        said = NumpyDocstring(without_footnotes(name.doc), self.config, what="function").lines()
        return [*head_of(name), *(f"   {line}" for line in said)]


def head_of(name: Name) -> list[str]:
    """Return the directive for a name that autodoc would not describe by that name."""
    kind, written = "data", name.name
    if name.kind == "mask":
        kind, written = "function", usage(name.name, name.value)
    return [f".. py:{kind}:: {written}", f"   :module: {name.room}", ""]


class Table(SphinxDirective):
    """Puts in one of the tables of the language."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return what is to be read in place of the directive."""
        return self.parse_text_to_nodes(TABLES[self.arguments[0]]())


def without_footnotes(text: str) -> str:
    """Return a docstring whose sources are numbered in plain text: many stand on one page."""
    return _CITED.sub(r"\1[\2] ", _FOOTNOTE.sub(r" [\1]", text))


def before_napoleon(_app: Sphinx, what: str, _name: str, _it: Any, _how: Any, text: Any) -> None:
    text[:] = without_footnotes("\n".join(text)).split("\n")
    if what in ("attribute", "data", "property"):
        # It would take what stands before a colon in the first line for a type.
        text[:0] = ["..", ""]


def left_out(_app: Sphinx, _what: str, _name: str, value: Any, skip: bool, _how: Any) -> bool:
    """Leave out the fields of named tuples, which only say where they stand in those."""
    return skip or type(value).__name__ == "_tuplegetter"


def signed(
    _app: Sphinx, what: str, _name: str, value: Any, _how: Any, _given: Any, _back: Any
) -> tuple[str, str] | None:
    """Return a signature with types as they stand in the code, not as what they stand for."""
    if what not in ("function", "method", "class", "exception"):
        return None
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    shown = [
        one.replace(annotation=unchecked(one.annotation))
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    text = stringify_signature(signature.replace(parameters=shown), show_return_annotation=False)
    back = signature.return_annotation
    is_made = what in ("class", "exception") or back is signature.empty
    return text, "" if is_made else str(back)


def found_elsewhere(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element
) -> nodes.Node | None:
    """Link a name that a docstring says in short; leave what is no public name as it is.

    In pages that are written by hand a name that leads nowhere stays an error.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].removeprefix("~")
    known = env.get_domain("py").objects  # type: ignore[attr-defined]
    ends = [name for name in known if name.endswith(f".{target}")]
    if ends and not target.startswith("_"):
        full = min(ends, key=lambda name: (name.count("."), len(name), name))
        entry = known[full]
        link = app.builder.get_relative_uri(node["refdoc"], entry.docname)
        made = nodes.reference("", "", internal=True, refuri=f"{link}#{entry.node_id}")
        return made.__class__("", "", shown, **made.attributes)
    return shown if node["refdoc"].startswith(API) else None


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("room", Room)
    app.add_directive("table", Table)
    app.connect("autodoc-process-docstring", before_napoleon, priority=100)
    app.connect("autodoc-skip-member", left_out)
    app.connect("autodoc-process-signature", signed)
    app.connect("missing-reference", found_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
