"""The script that tries other seeds sees what differs, and only that."""

import nbformat
import pytest

from tests import seeds


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the event loops of jupyter_client and zmq
def test_a_run_has_the_seed_the_threads_and_the_code_path_asked_for():
    source = "SEED = 0\nimport os\nprint(SEED == 3, os.environ['OMP_NUM_THREADS'] == '1')"
    source += "\nprint(os.environ['ATEN_CPU_CAPABILITY'] == 'default')"
    wrong = seeds.run(notebook(source), seeds.Setting(3, 1, "default"), seeds.ROOT)
    assert wrong == ["cell 0: prints ['True', 'True', 'True'], stored are []"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_failures_and_changed_claims_and_verdicts_are_named():
    first = "SEED = 0\nfrom emvae import checks\nprint('a number', 0.1 + SEED)"
    stored = notebook(
        first, "checks.report('eq-a', 0.5, 1.0)", "checks.report('eq-b', 0.5, 1.0)", "print(True)"
    )
    for cell, label in zip(stored.cells[1:3], ("eq-a", "eq-c"), strict=True):
        record = {"emvae": {"label": label, "part": None}}
        cell.outputs = [nbformat.v4.new_output("display_data", data={"text/plain": "holds"}, metadata=record)]
    stored.cells[3].outputs = [nbformat.v4.new_output("stream", text="False\n")]
    assert seeds.run(stored, seeds.Setting(1, 1), seeds.ROOT) == [
        "cell 2: reports [('eq-b', None)], stored are [('eq-c', None)]",
        "cell 3: prints ['True'], stored are ['False']",
    ]
    stored.cells[1].source = "checks.report('eq-a', 2.0, 1.0)"
    assert seeds.run(stored, seeds.Setting(1, 1), seeds.ROOT)[0] == (
        "cell 1: AssertionError: eq-a: fails, error 2 is above 1"
    )


@pytest.mark.parametrize("source", ["x = 1", "SEED = 1", "SEED = 0\nSEED = 0"])
def test_a_chapter_without_its_seed_is_refused(source):
    with pytest.raises(SystemExit, match="it should have it once"):
        seeds.with_seed(notebook(source), 3)


def test_all_seeds_with_all_threads_and_the_slow_path_once():
    got = list(seeds.settings([0, 1], [2, 1], ["default"]))
    pairs = [seeds.Setting(s, t) for t in (2, 1) for s in (0, 1)]
    assert got == [*pairs, seeds.Setting(0, 2, "default")]
    assert str(got[-1]) == "seed 0, threads 2, default"


@pytest.mark.parametrize(
    "chapter", [c for c in seeds.CHAPTERS if (seeds.ROOT / "book" / f"{c}.ipynb").exists()]
)
def test_every_chapter_takes_a_seed(chapter):
    stored = nbformat.read(seeds.ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    code = [cell.source for cell in seeds.with_seed(stored, 7).cells if cell.cell_type == "code"]
    assert "SEED = 7" in code[0].splitlines()
    assert all("set_num_threads" not in source for source in code)
