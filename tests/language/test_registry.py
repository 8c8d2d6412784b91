import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from vampprompt.errors import MaskError, Span
from vampprompt.language import Registry


@pytest.fixture
def registry(monkeypatch):
    installed = EntryPoints(
        [
            EntryPoint("ceil", "math:ceil", "vampprompt.tests"),
            EntryPoint("own", "math:floor", "vampprompt.tests"),
            EntryPoint("broken", "no_such_module:thing", "vampprompt.tests"),
        ]
    )
    monkeypatch.setattr("vampprompt.language.registry.entry_points", lambda group: installed)
    made = Registry("thing", "vampprompt.tests", MaskError)
    made.register("own", len)
    return made


def test_own_and_installed_things_are_found(registry):
    assert registry.get("own") is len
    assert registry.get("ceil").__name__ == "ceil"
    assert registry.get("ceil") is registry._items["ceil"], "loaded once"
    assert list(registry) == ["broken", "ceil", "own"]
    assert "ceil" in registry
    assert "floor" not in registry


def test_an_installed_thing_does_not_replace_an_own_one(registry):
    list(registry)
    assert registry.get("own") is len


def test_a_name_cannot_be_taken_twice(registry):
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("own", max)


def cell(name="Own", module="__main__"):
    return type(name, (), {"__module__": module})


def test_a_cell_of_a_notebook_may_register_its_class_again(registry):
    registry.register("mine", cell())
    edited = registry.register("mine", cell())
    assert registry.get("mine") is edited
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("mine", cell("Other"))
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("mine", cell()())
    assert registry.get("mine") is edited
    registry.register("value", [1, 2])
    registry.register("value", [1, 2])
    registry.register("theirs", cell(module="package"))
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("theirs", cell(module="package"))


def test_an_unknown_name_is_an_error_with_a_suggestion(registry):
    with pytest.raises(MaskError) as error:
        registry.get("ceel", Span("ceel", 0, 4))
    assert str(error.value).splitlines() == [
        "unknown thing 'ceel'",
        "  ceel",
        "  ^^^^",
        "did you mean 'ceil'?",
    ]
    with pytest.raises(MaskError, match="known: broken, ceil, own"):
        registry.get("zzz")


def test_several_threads_get_one_and_the_same(registry):
    class Slow(EntryPoint):
        def load(self):
            time.sleep(0.05)
            return object()

    registry._installed["slow"] = Slow("slow", "package:slow", "vampprompt.tests")
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(registry.get, ["slow"] * 4))) == 1
    assert registry.register("own", len) is len, "no other"


class Takes:
    def __call__(self, one, two=None):
        """Do nothing."""


@pytest.mark.parametrize(("takes", "fits"), [(0, False), (1, True), (2, True), (3, False)])
def test_what_is_called_takes_so_many_values(takes, fits):
    registry = Registry("thing", "vampprompt.tests", MaskError, takes=takes)
    assert registry.is_one(Takes) == fits
    assert registry.is_one(type(len))
    assert not registry.is_one(dict)
    assert registry.register("make", lambda: Takes())
    if fits:
        assert registry.register("takes", Takes) is Takes
    else:
        with pytest.raises(MaskError, match="it is no thing"):
            registry.register("takes", Takes)


def test_a_broken_package_breaks_only_its_own_name(registry):
    assert registry.get("ceil")
    with pytest.raises(MaskError, match="'broken' cannot be loaded from no_such_module:thing"):
        registry.get("broken")
