"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import vampprompt as vp

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


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 44100)).astype(np.float32)
    vp.write("in.wav", vp.Audio(noise, 44100))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(EXAMPLES[name])
    assert runner.summarize().failed == 0, capsys.readouterr().out


def test_every_public_name_has_an_example():
    public = [getattr(vp, name) for name in vp.__all__]
    public = [one for one in public if inspect.isclass(one) or inspect.isfunction(one)]
    assert not [one.__name__ for one in public if ">>>" not in (one.__doc__ or "")]
