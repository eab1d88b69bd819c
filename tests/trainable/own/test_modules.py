"""Executing a user's own sources: what they register, what is refused with file and line, and what stays of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.own_files import EXAMPLES, HOOK, forgotten
from trainable import component
from trainable.component import OtherSourceError, components
from trainable.component_json import decode, encode
from trainable.config import TrainConfig
from trainable.evaluation.source_bytes import needed_files, source_bytes
from trainable.own import modules as own_modules
from trainable.own import source as own_source
from trainable.own.source import Source

SAWTOOTH = (EXAMPLES / "sawtooth.py").read_text()


@pytest.fixture(autouse=True)
def forgetting():
    with forgotten():
        yield


def source(text: str, name: str = "own_tricks") -> Source:
    return Source(name, {f"{name}.py": text})


def config_with(name: str) -> TrainConfig:
    return TrainConfig(schedule=component.component(name, "schedule")())  # type: ignore[arg-type]


def test_a_component_of_a_source_stands_in_a_config_by_its_name_and_its_source() -> None:
    (module,) = own_modules.load([source(SAWTOOTH)])
    config = config_with("Sawtooth")
    kept = json.loads(json.dumps(encode(config)))
    assert kept["schedule"]["type"] == f"Sawtooth@{component.SOURCES['own_tricks']}"
    assert decode(kept) == config and module.Sawtooth(teeth=2)(0.25) == pytest.approx(0.55)
    assert own_modules.load([source(SAWTOOTH)]) == [module], "it is executed once"
    assert [c.__name__ for c in own_modules.components_of(source(SAWTOOTH))] == ["Sawtooth"]


def test_a_changed_source_is_another_training_and_what_was_written_of_the_old_one_is_refused() -> None:
    own_modules.load([source(SAWTOOTH)])
    key, kept = config_with("Sawtooth").key("data"), encode(config_with("Sawtooth"))
    own_modules.load([source(SAWTOOTH + "\n# another")])
    assert config_with("Sawtooth").key("data") != key
    with pytest.raises(
        OtherSourceError, match=r"^Sawtooth is of another source: [0-9a-f]{16} there, [0-9a-f]{16} here$"
    ):
        decode(kept)
    own_modules.load([source(SAWTOOTH)])
    assert config_with("Sawtooth").key("data") == key and decode(kept) == config_with("Sawtooth")


def test_a_config_with_a_component_that_is_not_given_says_so() -> None:
    with pytest.raises(OtherSourceError, match=r"^Nudge is of a file of the user's own, which is not given here"):
        decode({"type": "Nudge@0123456789abcdef"})
    with pytest.raises(OtherSourceError, match=r"^Cosine is of another source: 0123 there, none here$"):
        decode({"type": "Cosine@0123"})


def test_keys_of_configs_of_ours_do_not_change() -> None:
    before = TrainConfig().key("data")
    own_modules.load([source(SAWTOOTH)])
    assert TrainConfig().key("data") == before


def test_files_import_each_other_in_any_order_and_packages_their_parts() -> None:
    low, high = source("X = 7", "own_low"), source("from own_low import X\nY = X + 1", "own_high")
    assert own_modules.load([high, low])[0].Y == 8
    files = {"own_pack/__init__.py": "", "own_pack/a.py": "A = 3", "own_pack/b.py": "from .a import A\nB = A + 1"}
    assert own_modules.load([Source("own_pack.b", files)])[0].B == 4


def test_a_worker_needs_no_file_and_a_traceback_there_shows_the_line(tmp_path) -> None:
    text = SAWTOOTH.replace("phase = 1.0", "phase = 1 / 0 if progress > 0.5 else 1.0")
    own_modules.load([source(text)])
    request = {"sources": [source(text).to_json()], "config": encode(config_with("Sawtooth"))}
    program = """
import json, sys, traceback
from trainable.own import modules as own_modules
from trainable.component_json import decode
from trainable.own import source as own_source
from trainable.own.source import Source
asked = json.loads(sys.stdin.read())
own_modules.load([Source.of_json(one) for one in asked["sources"]])
config = decode(asked["config"])
print(config.key("data"), "torch" in sys.modules)
try:
    config.schedule(0.7)
except ZeroDivisionError:
    print(traceback.format_exc())
"""
    root = str(Path(component.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(request), cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": root}, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[0] == f"{config_with('Sawtooth').key('data')} False"
    assert 'own_tricks.py", line 19' in done.stdout and "1 / 0 if progress" in done.stdout


FROZEN = "@dataclass(frozen=True, kw_only=True)\n"
BAD = {  # what stands in the file -> the line that is said
    "def f(:\n    pass": r"own_tricks.py, line 1: invalid syntax",
    "X = 1\n\nraise KeyError('of mine')": r"own_tricks.py, line 3: KeyError: 'of mine'",
    "import torch\nimport no_such_module": r"own_tricks.py, line 2: No module named 'no_such_module' \(a file of your",
    "from trainable.schedules import Cosin": r"own_tricks.py, line 1: ImportError: cannot import name 'Cosin'",
    "import sys\nsys.exit(3)": r"own_tricks.py, line 2: it ends the program \(3\) when it is imported",
    "def f():\n    f()\nf()": r"own_tricks.py, line 2: RecursionError",
    "x = '\0'": r"own_tricks.py, line 1: .*null bytes",
    "(" * 1000: r"own_tricks.py, line 1: too many nested parentheses",
    SAWTOOTH.replace("class Sawtooth", "class Cosine"): r"own_tricks.py, line 12: two components are called Cosine: the"
    r" other is in trainable.schedules.cosine",
    SAWTOOTH.replace(FROZEN, ""): r"own_tricks.py, line 11: Sawtooth must be a frozen dataclass: write @dataclass",
    SAWTOOTH.replace(FROZEN, "@dataclass\n"): r"own_tricks.py, line 11: TypeError: cannot inherit non-frozen dataclass",
    SAWTOOTH.replace(FROZEN, "@dataclass(frozen=True)\n"): r"own_tricks.py, line 12: Sawtooth.teeth must be keyword",
    SAWTOOTH.replace("teeth: Repeats = 3", "teeth: Repeats"): r"line 12: Sawtooth.teeth must be .*, with a def",
    SAWTOOTH.replace("= 3", "= -3"): r"own_tricks.py, line 12: Sawtooth.teeth is -3 but must be",
    SAWTOOTH.replace("Repeats = 3", "Unheard = 3"): r"own_tricks.py, line 12: NameError: name 'Unheard' is not defined",
    SAWTOOTH.replace("def __call__", "def call"): r"own_tricks.py, line 12: Sawtooth must define __call__",
    SAWTOOTH.replace("Repeats = 3", "object = object()"): r"own_tricks.py, line 12: ",
    SAWTOOTH.replace("Schedule)", "Component)").replace("import Repeats", "import Repeats").replace(
        "from trainable.schedules import Schedule", "from trainable.component import Component"
    ): r"own_tricks.py, line 12: Sawtooth is of no kind: derive it from Schedule, Hook",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_bad_file_is_one_line_with_file_and_line_and_leaves_nothing(text) -> None:
    before, modules = list(components()), set(sys.modules)
    own_modules.load([source("Y = 1", "own_before")])
    with pytest.raises(ValueError, match=BAD[text]) as raised:
        own_modules.load([source(HOOK, "own_hook"), source(text)])
    assert "\n" not in str(raised.value) and str(raised.value).startswith("own_tricks.py, line ")
    assert components() == before and [one.name for one in own_modules.loaded()] == ["own_before"]
    assert not {name for name in set(sys.modules) - modules if name.startswith("own_")} - {"own_before"}
    own_modules.load([source(HOOK, "own_hook")])
    assert "Nudge" in [c.__name__ for c in components("hook")]


TAKEN = {
    "json": "json.py cannot be imported as 'json', the name of a module of Python's own: rename the file",
    "storage": "storage.py cannot be imported as 'storage', the name of a package of this program",
    "optuna": "optuna.py cannot be imported as 'optuna', the name of an installed module",
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_with_the_name_of_a_module_that_is_there_is_refused(name) -> None:
    with pytest.raises(ValueError, match=TAKEN[name]):
        own_modules.check_free([source("X = 1", name)])
    with pytest.raises(ValueError, match="own_tricks is given twice"):
        own_modules.check_free([source("X = 1"), source("X = 2")])


def test_a_file_of_the_working_folder_that_is_not_given_is_named_as_what_workers_lack(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("own_helpers.py").write_text("X = 1")
    using = source("import torch\nimport json\nfrom own_helpers import X")
    with pytest.raises(
        ValueError, match=r"own_tricks.py, line 3: it imports 'own_helpers', .* give own_helpers.py too"
    ):
        own_modules.check_free([using])
    own_modules.check_free([using, own_source.read("own_helpers.py")])


def test_a_module_that_python_has_imported_is_taken_as_it_is_unless_its_file_has_changed(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "own_imported.py"
    path.write_text(SAWTOOTH)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    import own_imported  # type: ignore[import-not-found]

    assert own_modules.load([own_source.read(str(path))]) == [own_imported]
    assert decode(encode(own_imported.Sawtooth())) == own_imported.Sawtooth()
    path.write_text(SAWTOOTH.replace("= 3", "= 44"))
    with pytest.raises(ValueError, match=r"own_imported.py was changed since it was imported here: start Python anew"):
        own_modules.load([own_source.read(str(path))])
    assert decode(encode(own_imported.Sawtooth())) == own_imported.Sawtooth()


def test_the_code_that_counts_against_an_artifact_includes_ones_own() -> None:
    high = source("import own_low\n" + SAWTOOTH.partition("annotations\n")[2])
    counted = [source("from trainable.data.preparation import prepare", "own_low"), high]
    own_modules.load([*counted, source(HOOK, "own_hook")])
    config = config_with("Sawtooth")
    own = sum(len(text.encode()) for one in counted for text in one.files.values())
    assert source_bytes(config) == own + sum(len(path.read_bytes()) for path in needed_files(config))
    assert {"train.py", "dataset.py", "schedule.py"} <= {path.name for path in needed_files(config)}


def test_a_hook_of_ones_own_trains(tiny, run_to_end, first_difference) -> None:
    own_modules.load([source(HOOK)])
    nudge = component.component("Nudge", "hook")
    alone, with_it = run_to_end(tiny), run_to_end(replace(tiny, hooks=(nudge.example(),)))
    assert first_difference(alone.numbers["network"], with_it.numbers["network"])
