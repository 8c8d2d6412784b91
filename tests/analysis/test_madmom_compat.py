from __future__ import annotations

import collections
import warnings

import numpy as np
import pytest

from vampprompt.analysis.madmom_compat import old_names


def test_old_names_are_there_only_for_a_while() -> None:
    before = dict(vars(np)), dict(vars(collections))
    with old_names():
        assert vars(np)["int"] is int
        assert collections.MutableSequence is collections.abc.MutableSequence
        with old_names():
            assert vars(np)["float"] is float
        assert vars(np)["float"] is float
    assert (dict(vars(np)), dict(vars(collections))) == before


def test_names_that_exist_are_left_alone() -> None:
    numpy_bool = np.bool
    with old_names():
        assert np.bool is numpy_bool
    assert np.bool is numpy_bool


def test_old_names_go_after_an_exception() -> None:
    with pytest.raises(KeyError), old_names():
        raise KeyError
    assert "int" not in vars(np)


def test_warnings_are_silent_only_inside() -> None:
    with old_names():
        warnings.warn("unheard", DeprecationWarning, stacklevel=1)
    with pytest.warns(DeprecationWarning, match="heard"):
        warnings.warn("heard", DeprecationWarning, stacklevel=1)
