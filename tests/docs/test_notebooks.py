"""The notebooks run from nothing with the starter, and stay small enough to be looked at."""

import json

import pytest

from docs.examples import DOCS, ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.slow
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
MOST = 2_000_000
# Which a service that has no vampprompt runs first, and a test must not.
INSTALL = "install"


def read(path):
    return nbformat.read(path, as_version=4)


def is_install(cell):
    return INSTALL in cell.metadata.get("tags", ())


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory):
    """A notebook with its outputs, run by Jupyter's own kernel in an empty folder."""
    notebook = read(request.param)
    notebook.cells = [cell for cell in notebook.cells if not is_install(cell)]
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("VAMPPROMPT_CACHE", str(folder / "cache"))
        where = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_there_are_three():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_installs_in_one_cell_and_has_no_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert is_install(first)
    assert first.source == "%pip install -q vampprompt"
    assert sum(map(is_install, notebook.cells)) == 1
    assert not outputs(notebook)


def test_it_runs_and_stays_small(executed):
    assert len(json.dumps(executed)) < MOST
    errors = [output for output in outputs(executed) if output.output_type == "error"]
    assert not errors


def test_songs_show_themselves(executed):
    pages = [
        output["data"]["text/html"]
        for output in outputs(executed)
        if "text/html" in output.get("data", {}) and "<audio" in output["data"]["text/html"]
    ]
    assert pages
    assert all("data:audio/mpeg;base64," in page and "keeps" in page for page in pages)
