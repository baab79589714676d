"""A page loads every script that its live figures need, once, the shared ones first."""

import live


def test_every_script_is_loaded_and_every_loaded_script_is_there():
    names = [name for name in live.PARTS if name != "shared"]
    loaded = live.scripts(names)
    there = {f"live/{path.name}" for path in live.FOLDER.glob("*.js")}
    assert set(loaded) == there
    assert len(loaded) == len(there)


def test_the_shared_scripts_come_first_and_a_figure_after_its_parts():
    loaded = live.scripts(["em"])
    n_shared = sum("shared" in file for file in loaded)
    assert all("shared" in file for file in loaded[:n_shared])
    assert loaded[-1] == "live/em.js"
    assert loaded[n_shared:].index("live/em-data.js") < loaded[n_shared:].index("live/em-maths.js")
