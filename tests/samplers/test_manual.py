"""What docs/samplers.md says is so, and samplers of somebody else work as the package's do."""

import doctest
from pathlib import Path

import pytest
import torch

from tests.samplers.fakes import NeighbourModel, generators, tokens_for
from vampprompt.errors import SamplerError
from vampprompt.samplers import Trace, from_text, parts, samplers
from vampprompt.samplers.trace import settling_steps

ROOT = Path(__file__).parent.parent.parent
MANUAL = ROOT / "docs" / "samplers.md"


def test_its_python_runs():
    pytest.importorskip("matplotlib")
    ran = doctest.testfile(str(MANUAL), module_relative=False)
    assert ran.attempted > 10
    assert ran.failed == 0


def test_it_names_every_sampler():
    assert {name for name in samplers if f"`{name}`" not in MANUAL.read_text()} == set()


def test_samplers_and_filters_of_others(monkeypatch):
    for name in ("backwards", "dodge"):
        monkeypatch.syspath_prepend(ROOT / "tests" / "data" / "plugins" / name)
    import backwards
    import dodge

    monkeypatch.setitem(samplers._items, "backwards", backwards.Backwards)
    monkeypatch.setitem(parts._items, "dodge", dodge.Dodge)
    text = "backwards(steps=2, schedule=linear, filters=[dodge(n=49)], spread=0.5)"
    sampler = from_text(text)
    assert str(sampler) == text
    model, trace = NeighbourModel(), Trace()
    tokens = tokens_for(model, n_frames=8)
    keep = torch.zeros_like(tokens, dtype=torch.bool)
    filled = sampler(model, tokens, keep, generators(1), trace)
    assert settling_steps(trace)[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    masked = torch.full_like(tokens, model.mask_token)
    assert torch.equal(filled[..., 4:], model.logits(masked)[..., 4:, :].argmin(-1))
    with pytest.raises(SamplerError, match="did you mean 'backwards'"):
        from_text("bakwards")
    with pytest.raises(SamplerError, match="spread of backwards: -1 is not a number of at least"):
        from_text("backwards(spread=-1)")
