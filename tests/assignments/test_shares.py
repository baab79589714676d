"""Several machines grade one folder, a share each; the last call puts together what they kept."""

import sys

import pytest

from tests.assignments import tiny
from tools.grading import sandbox
from tools.grading.__main__ import grade, main
from tools.grading.collecting import RESULTS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)

STUDENTS = ["ada", "bo", "cy", "di"]


def course(folder):
    """Lay out a course in which each student did something else."""
    (folder / "tiny").mkdir(parents=True)
    (folder / "roster.csv").write_text("student\n" + "\n".join([*STUDENTS, "never"]) + "\n", encoding="utf-8")
    for i, student in enumerate(STUDENTS):
        notebook = tiny.solved()
        tiny.find(notebook, "double").source = f"def double(x):\n    return {i} * np.asarray(x)"
        (folder / "tiny" / f"{student}.ipynb").write_bytes(tiny.text(notebook))
    return folder


def test_shares_come_to_what_one_machine_comes_to(tmp_path):
    sandbox.check()
    how = {"assignments": {"tiny": tiny.TINY}, "limits": tiny.LIMITS}
    one, several = course(tmp_path / "one"), course(tmp_path / "several")
    grade(one, **how)
    found = [{r.student.id for r in grade(several, **how, share=(k, 3))} for k in (1, 2, 3)]
    assert set.union(*found) == {*STUDENTS, "never"}
    assert sum(map(len, found)) == 5
    assert [path.name for path in (several / RESULTS).iterdir()] == [".kept"]
    said = []
    grade(several, **how, say=said.append)
    assert said == ["5 of 5 were graded before and did not change"]
    for table in ("grades.csv", "tiny.csv", "by-hand.csv"):
        assert (several / RESULTS / table).read_bytes() == (one / RESULTS / table).read_bytes()
    points = (one / RESULTS / "tiny.csv").read_text(encoding="utf-8").splitlines()
    assert len(set(points)) > 2


@pytest.mark.parametrize("share", ["0/3", "4/3", "1", "a/b", "-1/3"])
def test_what_is_no_share_is_refused(share, capsys):
    with pytest.raises(SystemExit):
        main(["grade", "autumn", "--share", share])
    assert "no share" in capsys.readouterr().err or share.startswith("-")
