"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import vampprompt as vp
from docs.names import public, rooms, said_in

MODULES = [module.name for module in pkgutil.walk_packages(vp.__path__, "vampprompt.")]
# Of what needs an extra that is not here, nothing is looked at.
EXTRAS = {"gradio", "pythonosc"}


def imported(name):
    try:
        return [importlib.import_module(name)]
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        return []


EXAMPLES = {
    f"{test.name}:{test.lineno}": test
    for module in [vp, *(module for name in MODULES for module in imported(name))]
    for test in doctest.DocTestFinder(exclude_empty=True).find(module)
    if test.examples
}
# Those of values, which have no docstring, stand in a string below them.
EXAMPLES |= {
    f"{module}.{name}": doctest.DocTestParser().get_doctest(
        text, vars(importlib.import_module(module)), f"{module}.{name}", None, 0
    )
    for module in ["vampprompt", *MODULES]
    for name, text in said_in(module).items()
    if ">>>" in text
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 44100)).astype(np.float32)
    vp.write("in.wav", vp.Audio(noise, 44100))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(EXAMPLES[name])
    assert runner.summarize().failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("room", rooms())
def test_every_public_name_has_an_example(room):
    lacking = [
        name.full for name in public(room) if name.kind != "module" and ">>>" not in name.doc
    ]
    assert not lacking, "write one in its docstring, or in a string below its definition"


def test_every_example_is_among_those_that_run():
    run = {example.docstring for example in EXAMPLES.values()}
    for room in rooms():
        for name in public(room):
            if name.kind != "module" and name.doc:
                first = name.doc.partition("\n")[0]
                assert any(first in (text or "") for text in run), name.full
