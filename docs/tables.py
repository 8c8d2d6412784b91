"""The grammar and the tables of the language, worked out from the code, as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any

from docs.names import Name
from vampprompt import analysis, language, samplers
from vampprompt.language import Registry, Term, usage
from vampprompt.language.parse import OPERATORS
from vampprompt.language.term import fields_of, parameters
from vampprompt.masks import PRESETS, masks
from vampprompt.masks.base import Not
from vampprompt.masks.position import AXES
from vampprompt.masks.presets import CHAINS, WORDS
from vampprompt.samplers import parts
from vampprompt.samplers.filters import Warper
from vampprompt.units import UNITS

# What is called what in the grammar, from the operator that binds least.
_RULES = {"|": "either", "^": "one", "&": "both", "-": "without"}


def grammar() -> dict[str, list[list[str]]]:
    """Return the grammar of masks: for each rule its forms, each a list of parts.

    A part in single quotes is written as it stands; one that ends in ``*`` may come any number
    of times; a part that is no rule says in words what it is.
    """
    chains = sorted(CHAINS.values(), key=lambda chain: chain.level)
    rules = [_RULES[chain.operator] for chain in chains]
    found: dict[str, list[list[str]]] = {"mask": [[rules[0]]]}
    for rule, chain, tighter in zip(rules, chains, [*rules[1:], "unary"], strict=True):
        more = f"{rule}-more"
        found[rule] = [[tighter, f"{more}*"]]
        found[more] = [[f"'{chain.operator}'", tighter]]
    mirrored = [operator for operator in OPERATORS if operator in ("<", "<=")]
    found |= {
        "unary": [["'~'", "unary"], ["atom"]],
        "atom": [["'('", "mask", "')'"], ["comparison"], ["range"], ["call"]],
        "comparison": [["axis", "operator", "bound"], ["bound", "less", "axis"]],
        "range": [["time", "'..'", "later"], ["time", "'..'"], ["'..'", "later"]],
        "axis": [[f"'{axis}'"] for axis in AXES],
        "operator": [[f"'{operator}'"] for operator in OPERATORS],
        "less": [[f"'{operator}'"] for operator in mirrored],
        "call": [["name"], ["name", "'('", "arguments", "')'"]],
    }
    found["comparison"].append(["bound", "less", "axis", "less", "bound"])
    return found


IN_WORDS = {
    "bound": "a number; of `time`, a quantity",
    "time": "a quantity of time",
    "later": "a quantity of time, no earlier",
    "name": "a mask of the table below, a preset, or a name of your own",
    "arguments": "values, first those without a name, then `name=value`, with commas between",
}


def grammar_table() -> str:
    rules = grammar()
    width = max(map(len, rules))
    lines = []
    for rule, forms in rules.items():
        if rule.endswith("-more"):
            continue
        written = (" ".join(_inlined(part, rules) for part in form) for form in forms)
        for index, form in enumerate(written):
            lines.append(f"{rule if not index else '':<{width}} {'|' if index else '='} {form}")
    words = [f"- *{name}*: {what}" for name, what in IN_WORDS.items()]
    return "\n".join(["```text", *lines, "```", "", *words])


def _inlined(part: str, rules: dict[str, list[list[str]]]) -> str:
    name = part.removesuffix("*")
    return f"({' '.join(rules[name][0])})*" if name != part else part


def operators() -> str:
    """Return the operators from the one that binds tightest, with what some write for them."""
    kinds = {"~": Not, **CHAINS}
    instead = {operator: word for word, operator in WORDS.items()}
    rows = (
        [f"`{operator}`", _line(kind.__doc__ or ""), f"`{instead[operator]}`"]
        for operator, kind in sorted(kinds.items(), key=lambda one: -one[1].level)
    )
    return _table(["operator", "", "not"], rows)


def units() -> str:
    """Return the units of quantities, with every way to write them."""
    ways: dict[str, list[str]] = {}
    for text, unit in UNITS.items():
        ways.setdefault(unit, []).append(f"`2{text}`" if unit != "tempo" else f"`120{text}`")
    return _table(["unit", "written"], ([unit, ", ".join(how)] for unit, how in ways.items()))


def kinds() -> str:
    """Return what arguments may be."""
    rows = []
    for name in language.__all__:
        if hasattr(getattr(language, name), "__metadata__"):
            said = Name(language.__name__, name).doc
            rows.append([name, _line(said)])
    return _table(["kind", "what it takes"], rows)


def mask_table() -> str:
    return "\n\n".join(_entry(name, masks.get(name)) for name in masks)


def presets() -> str:
    rows = ([f"`{name}`", f"`{one.text}`", one.help] for name, one in PRESETS.items())
    return _table(["name", "mask", ""], rows)


def sampler_table() -> str:
    return _registered(samplers.samplers)


def filters() -> str:
    kept = {name: parts.get(name) for name in parts}
    return "\n\n".join(_entry(name, one) for name, one in kept.items() if _made(one, Warper))


def schedules() -> str:
    kept = {name: parts.get(name) for name in parts}
    return "\n\n".join(_entry(name, one) for name, one in kept.items() if not _made(one, Warper))


def trackers() -> str:
    return _registered(analysis.trackers)


TABLES: dict[str, Callable[[], str]] = {
    "grammar": grammar_table,
    "operators": operators,
    "units": units,
    "kinds": kinds,
    "masks": mask_table,
    "presets": presets,
    "samplers": sampler_table,
    "filters": filters,
    "schedules": schedules,
    "trackers": trackers,
}


def _registered(names: Registry[Any]) -> str:
    return "\n\n".join(_entry(name, names.get(name)) for name in names)


def _entry(name: str, entry: Any) -> str:
    """Return how a name is written, its line of help, and a row for each argument."""
    said = (inspect.getdoc(entry) or "").partition("\n")[0]
    text = f"`{name if _is_alone(entry) else usage(name, entry)}`\n: {_markdown(said)}"
    rows = list(_arguments(entry))
    if not rows:
        return text
    table = _table(["argument", "takes", "default", ""], rows)
    return f"{text}\n\n{_indented(table)}"


def _is_alone(entry: Any) -> bool:
    return isinstance(entry, Term) and not callable(entry)


def _arguments(entry: Any) -> Iterator[list[str]]:
    made = type(entry) if isinstance(entry, Term) else entry
    if _is_alone(entry):
        return
    told = _told_of(made)
    for name, one in parameters(entry).items():
        needed = one.default is one.empty
        default = "" if needed else f"`{_default(made, name, one.default)}`"
        yield [f"`{name}`", _kind(one.annotation), default, told.get(name, "")]


def _default(made: Any, name: str, plain: Any) -> str:
    if is_dataclass(made):
        plain = next(value for field, value in fields_of(made) if field.name == name)
    if plain is None:
        return "none"
    if isinstance(plain, (tuple, list)):
        return f"[{', '.join(map(str, plain))}]"
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _kind(annotation: Any) -> str:
    """Return a field's type in the words of the table of kinds, as its annotation says it."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    text = unchecked(text.removesuffix(" | None"))
    return _KINDS.get(text, text).replace("|", r"\|")


def unchecked(annotation: Any) -> Any:
    """Return a type without what checks its values."""
    if not isinstance(annotation, str):
        return annotation
    return re.sub(r"^Annotated\[(.*), \w+(\(.*\))?\]$", r"\1", annotation, flags=re.DOTALL)


_KINDS = {
    "Inner": "a mask",
    "Mask": "a mask",
    "NotNegative": "a number, 0 or more",
    "Part": "a number above 0, at most 1",
    "Metres": "whole numbers",
    "int | tuple[int, ...]": "a whole number, or a list of them",
    "tuple[Filter, ...]": "a list of filters",
    "Schedule": "a schedule",
    "Quantity": "a quantity",
    "float": "a number",
}


def _told_of(made: Any) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each parameter."""
    found: dict[str, str] = {}
    for kind in getattr(made, "__mro__", (made,)):
        text = inspect.cleandoc(vars(kind).get("__doc__") or "") if isinstance(kind, type) else ""
        section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", text, re.M | re.S)
        for match in re.finditer(
            r"^(\w[\w, ]*)(?: : [^\n]*)?\n((?:[ ]{4}.*\n?|\n)+)",
            section[1] if section else "",
            re.M,
        ):
            said = " ".join(match[2].split())
            for name in match[1].split(", "):
                found.setdefault(name, _markdown(said))
    return found


def _made(entry: Any, kind: type) -> bool:
    return issubclass(entry if isinstance(entry, type) else type(entry), kind)


def _line(text: str) -> str:
    return _markdown(inspect.cleandoc(text).partition("\n")[0])


def _markdown(text: str) -> str:
    """Return a line of a docstring as Markdown: code in one backtick, sources left out."""
    return re.sub(r" ?\[\d\]_", "", text).replace("``", "`")


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\|", text)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))
