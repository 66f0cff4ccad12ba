"""Imports run one way, and docs/architecture.md says what the code says."""

import re
import subprocess
import sys
from typing import Dict, List, Set

import pytest

from tools.architecture import BEGIN, END, PACKAGE, ROOMS, ROOT, circles, read_code, room_of, table, upward

CODE = read_code()


def test_every_module_is_in_a_room_and_says_what_it_is_for():
    for module, sentence in CODE.docs.items():
        assert room_of(module) in (None, *ROOMS), module
        assert sentence, f"{module} has no docstring"


def test_imports_run_one_way():
    assert upward(CODE) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circles(CODE) == []


def test_nothing_imports_the_entry_points():
    imported = {each.imported for each in CODE.imports if room_of(each.importer) is not None}
    assert {module for module in imported if room_of(module) is None} <= {PACKAGE}


@pytest.mark.parametrize("room", ["recipes", "data", "checkpoints", "report", "doctor", "commands"])
def test_no_tensorflow_in(room: str):
    modules = [module for module in CODE.docs if room_of(module) == room]
    assert {name for module in modules for name in CODE.outside[module]}.isdisjoint({"tensorflow", "keras"})
    assert "graphs" not in rooms_imported_by(room)


def test_no_public_class_name_stands_twice():
    """So that a name says which class is meant, in a traceback as in a sentence."""
    found: Dict[str, List[str]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        for name in re.findall(r"^ *class ([A-Za-z]\w*)", path.read_text(), re.MULTILINE):
            found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_reading_comparing_and_reporting_load_no_tensorflow():
    """Parts build themselves, in functions: to name them is not to load TensorFlow."""
    rooms = ("recipes", "data", "checkpoints", "report", "doctor", "commands")
    modules = [module for module in CODE.docs if room_of(module) in rooms]
    modules += [f"{PACKAGE}.cli", f"{PACKAGE}.parity.compare", f"{PACKAGE}.parity.report"]
    code = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
    code += "sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), check=False).returncode == 0


def test_ports_are_compared_without_tensorflow_1():
    """What ``parity`` has of TensorFlow runs in a port's own Python."""
    assert rooms_imported_by("parity").isdisjoint({"graphs", "runs"})


def rooms_imported_by(room: str) -> Set[str]:
    return {room_of(each.imported) or "" for each in CODE.imports if room_of(each.importer) == room}


def test_a_planted_upward_import_and_a_planted_circle_are_found(tmp_path):
    package = tmp_path / PACKAGE
    for room in ("recipes", "data"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "recipes" / "a.py").write_text(f"def f():\n    from {PACKAGE}.data import b\n    return b\n")
    (package / "data" / "b.py").write_text(f"from {PACKAGE}.recipes.a import f\n")
    planted = read_code(tmp_path)
    assert upward(planted) == ["tf1_lstm.recipes.a:2 imports tf1_lstm.data.b"]
    assert circles(planted) == [["tf1_lstm.data.b", "tf1_lstm.recipes.a"]]


def test_the_page_has_the_table_of_the_code():
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert page.split(BEGIN)[1].split(END)[0].strip() == table(CODE), "run tools/architecture.py"
