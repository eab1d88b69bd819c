"""Files of a user's own that are odd in themselves: links, names, and what they do as they are imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.own_files import forgotten
from trainable.own import modules as own_modules
from trainable.own import source as own_source
from trainable.own.source import Source


@pytest.fixture(autouse=True)
def forgetting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with forgotten():
        yield


def test_a_link_is_the_module_of_its_own_name() -> None:
    Path("real_trick.py").write_text("VALUE = 7\n")
    Path("linked_trick.py").symlink_to("real_trick.py")
    source = own_source.read("linked_trick.py")
    assert (source.name, source.file) == ("linked_trick", "linked_trick.py")
    (module,) = own_modules.load([source])
    assert module.VALUE == 7


def test_a_link_to_a_package_is_the_package_of_its_own_name() -> None:
    Path("real_pack").mkdir()
    Path("real_pack/__init__.py").write_text("from .part import VALUE\n")
    Path("real_pack/part.py").write_text("VALUE = 7\n")
    Path("linked_pack").symlink_to("real_pack")
    source = own_source.read("linked_pack")
    assert source.name == "linked_pack" and sorted(source.files) == ["linked_pack/__init__.py", "linked_pack/part.py"]
    assert own_modules.load([source])[0].VALUE == 7
    Path("inner").mkdir()
    Path("inner/there").symlink_to("../real_pack")
    assert own_source.read("inner/there").name == "there" and own_source.read("real_pack/.").name == "real_pack"


def test_a_loop_of_links_is_one_line() -> None:
    Path("loop.py").symlink_to("loop.py")
    with pytest.raises(ValueError, match=r"'loop\.py' cannot be read: Too many levels of symbolic links"):
        own_source.read("loop.py")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("class.py", r"'class' is no name of a Python module; rename it, as to 'my_class\.py'"),
        ("2nd.py", r"'2nd' is no name of a Python module; rename it, as to 'my_2nd\.py'"),
        ("a-b.py", r"rename it, as to 'a_b\.py'"),
        ("__init__.py", r"'__init__\.py' is a part of a package: give the folder that it is in, '\.'"),
        ("__main__.py", "is a part of a package"),
    ],
)
def test_a_name_that_no_import_can_have(name: str, says: str) -> None:
    Path(name).write_text("VALUE = 7\n")
    with pytest.raises(ValueError, match=says):
        own_source.read(name)


FAILING = {
    "class Mute(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Mute": "line 4: Mute$",
    "class Odd(Exception):\n    def __str__(self): return 5\nraise Odd": "line 4: Odd$",
    "class Mine(BaseException): pass\nraise Mine('gone')": "line 3: Mine: gone$",
    "raise GeneratorExit": "line 2: GeneratorExit$",
    "import sys\nsys.modules[__name__] = 5": "it puts something that is no module in its own place",
    "import os\nos.chdir('/')": "it changes the current folder when it is imported",
    "import os\nos.chdir('/')\n1 / 0": "line 4: ZeroDivisionError",
}


@pytest.mark.parametrize("text", FAILING)
def test_a_file_that_fails_in_an_odd_way_is_one_line_and_changes_nothing(text: str) -> None:
    here = os.getcwd()
    with pytest.raises(ValueError, match=FAILING[text]) as raised:
        own_modules.load([Source("own_odd", {"own_odd.py": f"# odd\n{text}\n"})])
    assert str(raised.value).startswith("own_odd.py, line ") and "\n" not in str(raised.value)
    assert os.getcwd() == here and own_modules.loaded() == []


def test_ctrl_c_as_a_file_is_imported_is_the_users() -> None:
    with pytest.raises(KeyboardInterrupt):
        own_modules.load([Source("own_slow", {"own_slow.py": "raise KeyboardInterrupt\n"})])


@pytest.mark.parametrize("method", ["example", "neutral"])
def test_a_component_gives_objects_of_its_own(method: str) -> None:
    text = f"""
from dataclasses import dataclass
from trainable.schedules import Schedule
@dataclass(frozen=True, kw_only=True)
class OwnOdd(Schedule):
    @classmethod
    def {method}(cls): return 5
    def __call__(self, progress): return 1.0
"""
    with pytest.raises(ValueError, match=rf"OwnOdd\.{method}\(\) is 5 but must be one of its own objects"):
        own_modules.load([Source("own_odd", {"own_odd.py": text})])
