import subprocess
import sys

import numpy as np
import pytest

from tests.samplers.fakes import NeighbourModel, generators, keep_for, tokens_for
from vampprompt.errors import SamplerError
from vampprompt.samplers import Confidence, RandomOrder, Trace
from vampprompt.samplers.trace import plot, settling_steps


def record(sampler):
    model, trace = NeighbourModel(), Trace()
    tokens = tokens_for(model, n_batch=2)
    keep = keep_for(tokens)
    filled = sampler(model, tokens, keep, generators(1, 2), trace)
    return trace, keep, filled


def test_records_every_step():
    trace, keep, filled = record(Confidence(steps=5))
    assert len(trace.tokens) == len(trace.masked) == len(trace.confidence) == 5
    assert (trace.tokens[-1] == filled.numpy()).all()
    steps = settling_steps(trace, item=1)
    assert steps.shape == (4, 20)
    assert set(np.unique(steps)) == set(range(5))
    assert (steps[keep[1].numpy()] == 0).all()


@pytest.mark.parametrize("sampler", [Confidence(steps=3), RandomOrder(steps=3)], ids=str)
def test_saves_and_loads(tmp_path, sampler):
    trace, _, _ = record(sampler)
    trace.save(tmp_path / "trace.npz")
    again = Trace.load(tmp_path / "trace.npz")
    for name in ("tokens", "masked", "confidence"):
        assert np.array_equal(np.array(getattr(again, name)), np.array(getattr(trace, name)))
    assert bool(again.confidence) == sampler.reports_confidence


def test_one_trace_is_of_one_call():
    trace, _, _ = record(Confidence(steps=3))
    model = NeighbourModel()
    tokens = tokens_for(model)
    with pytest.raises(SamplerError, match="step 0 cannot follow 3 recorded steps"):
        Confidence(steps=3)(model, tokens, keep_for(tokens), generators(1), trace)


def test_draws_when_each_token_settled():
    pytest.importorskip("matplotlib")
    trace, keep, _ = record(Confidence(steps=5))
    drawn = plot(trace, keep=keep[0].numpy()).axes[0].images[0].get_array()
    assert (np.ma.getmaskarray(drawn) == keep[0].numpy()).all()
    assert (drawn[~drawn.mask] == settling_steps(trace)[~drawn.mask]).all()


def test_matplotlib_is_loaded_only_to_draw():
    code = "import sys, vampprompt.samplers; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
