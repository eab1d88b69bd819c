"""Campaigns with code of a user's own, by the command line and from Python, with the executor that plays Ray."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

import tuner
from results.store.campaign_folder import Store
from search_spaces import load as load_space
from search_spaces.domains import Choice
from search_spaces.space import Knob
from storage.location import location
from tests.own_files import EXAMPLES, HOOK, forgotten
from tests.small_campaign import SET_SMALL, SMALL, play_in_place_of_ray, work_in
from trainable.own import source as own_source
from trainable.own.source import Source
from trainable.schedules import Cosine
from tuner import status
from tuner.campaign import again
from tuner.own import code as own_code
from tuner.run import main
from tuner.search_loop import Search

HOW = ["--scale", "proxy", "--results", "runs", "--no-audit", "--no-confirm", "--data", "text", *SET_SMALL]
SMALL_SPACE = ["--space", "small_space.py", "--import", "sawtooth.py", *HOW]
MARK = "from pathlib import Path\nPath('executed').write_text('')\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    """A working folder with a little text and the example's files, and no way to start Ray."""
    work_in(tmp_path, monkeypatch)
    for name in ("sawtooth.py", "small_space.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def requests(monkeypatch, play) -> list:
    """Campaigns run by the executor that plays Tune; returns what it was asked to train."""
    asked: list = []

    def note_requests(campaign: Search) -> None:
        following = campaign.next

        def following_noted():
            found = following()
            asked.extend([] if found is None else [found])
            return found

        campaign.next = following_noted

    play_in_place_of_ray(monkeypatch, play, note_requests)
    return asked


@pytest.fixture
def tune(capsys):
    """Run the command as a process of its own would: nothing of a user's is loaded before or after it."""

    def run(*arguments: str, code: int = 0) -> str:
        with forgotten():
            try:
                found = main(arguments)
            except SystemExit as ended:
                found = int(ended.code or 0)
            finally:
                again.TRUSTED.clear()
        out, err = capsys.readouterr()
        assert found == code, out + err
        if code == 2:
            assert err.count("\n") == 1 and "Traceback" not in err
        return err if code == 2 else out

    return run


def campaign_json(name: str) -> dict:
    found: dict = json.loads((Path("runs") / name / "campaign.json").read_text())
    return found


def test_the_example_is_searched_sent_to_workers_kept_and_gone_on_with(tune, requests) -> None:
    out = tune(*SMALL_SPACE, "--trials", "6", "--name", "own")
    assert "space: small - Does a sawtooth beat a cosine?" in out
    sources = [own_source.read("sawtooth.py"), own_source.read("small_space.py")]
    assert campaign_json("own")["imports"] == [source.identity for source in sources]
    assert campaign_json("own")["space"] == "small"
    for source in sources:
        assert own_code.kept(Path("runs/own"), source.name) == source
    assert all([Source.of_json(one) for one in request.sources] == sources for request in requests)
    types = {json.loads(row["config"])["schedule"]["type"] for row in Store.open(Path("runs/own")).trials()}
    assert {name.partition("@")[0] for name in types} >= {"Cosine", "Sawtooth"} and "Cosine" in types
    files = ["--space", "small_space.py", "--import", "sawtooth.py"]
    tune("--resume", "own", "--results", "runs", "--trials", "7", *files)
    shutil.rmtree("text/../runs/own/sources")  # as after a kill between two writes
    tune("--resume", "own", "--results", "runs", "--trials", "8", *files)
    for name in ("sawtooth.py", "small_space.py"):
        Path(name).unlink()
    tune("--resume", "own", "--results", "runs", "--trials", "9", "--trust-sources")
    assert len(Store.open(Path("runs/own")).trials()) == 9 and campaign_json("own")["imports"] == [
        source.identity for source in sources
    ]


def test_the_winner_is_a_command_that_runs_from_the_sources_that_are_kept(tune) -> None:
    arguments = [part for part in SMALL_SPACE if part != "--no-confirm"]
    out = tune(*arguments, "--trials", "5", "--confirm", "1x2", "--name", "won")
    line = next(line for line in out.splitlines() if line.startswith("  python -m tuner.run --space"))
    assert "--space runs/won/sources/small_space.py --import runs/won/sources/sawtooth.py --scale proxy" in line
    words = line.split()[3:]
    tune(*words, "--name", "next", "--results", "runs", "--no-audit")
    assert len(Store.open(Path("runs/next")).trials()) == 1


def test_a_line_that_says_how_to_go_on_brings_the_code(tune, capsys) -> None:
    tune(*SMALL_SPACE, "--trials", "2", "--name", "own")
    assert "--resume own --results runs --import sawtooth.py --import small_space.py" in "\n".join(
        status.status(Path("runs/own"), status.datetime.now(status.UTC))
    )
    out = tune(*SMALL_SPACE, "--trials", "2", "--name", "hours", "--hours", "0.0001")
    kept = Path.cwd() / "runs" / "hours" / "sources"
    (line,) = (line for line in out.splitlines() if "tuner.run --resume hours" in line)
    assert line.startswith(f"  python -m tuner.run --resume hours --results {kept.parent.parent} --confirm ")
    assert f"--import {kept / 'sawtooth.py'} --import {kept / 'small_space.py'}" in line


REFUSED = {  # how a campaign is gone on with -> what is said
    (): r"campaign 'own' runs code of its own: give the same again \(--import sawtooth.py --import small_space.py\), "
    r"or look at what is kept in runs/own/sources and say --trust-sources",
    ("--import", "sawtooth.py"): r"give the same again \(--import small_space.py\), or look",
    ("--import", "other/sawtooth.py", "--space", "small_space.py"): r"campaign 'own' was begun with another "
    r"sawtooth.py \(SHA-256 [0-9a-f]{12}\.\.\., kept in runs/own/sources; this one is [0-9a-f]{12}",
    ("--import", "other/sawtooth.py", "--trust-sources"): r"was begun with another sawtooth.py",
    ("--import", "extra.py", "--trust-sources"): r"campaign 'own' was begun without extra.py \(it has sawtooth, small",
    ("--space", "small", "--import", "sawtoth.py"): r"no file 'sawtoth.py': did you mean 'sawtooth.py'",
}  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=" ".join)
def test_a_resume_without_the_code_or_with_another_is_one_line_and_runs_and_changes_nothing(
    tune, workplace, options
) -> None:
    tune(*SMALL_SPACE, "--trials", "2", "--name", "own")
    (workplace / "other").mkdir()
    Path("other/sawtooth.py").write_text(Path("sawtooth.py").read_text() + MARK)
    Path("extra.py").write_text(MARK)
    before = {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()}
    said = tune("--resume", "own", "--results", "runs", "--trials", "3", *options, code=2)
    assert re.search(REFUSED[options], said), said
    assert {path: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()} == before
    assert not Path("executed").exists()


def test_code_that_was_changed_in_a_folder_is_refused_also_with_the_users_word(tune) -> None:
    tune(*SMALL_SPACE, "--trials", "2", "--name", "own")
    kept = Path("runs/own/sources/sawtooth.py")
    kept.write_text(kept.read_text() + MARK)
    said = tune("--resume", "own", "--results", "runs", "--trust-sources", code=2)
    assert "runs/own/sources/sawtooth.py is not what the campaign was begun with: it was changed" in said
    kept.unlink()
    said = tune("--resume", "own", "--results", "runs", "--trust-sources", code=2)
    assert "runs/own/sources holds no 'sawtooth': give the file by --import" in said
    assert not Path("executed").exists()


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "a.", "1a", "a b", "a@b"])
def test_a_folder_that_names_code_elsewhere_is_refused_when_it_is_read(tune, name) -> None:
    tune(*SMALL_SPACE, "--trials", "2", "--name", "own")
    file = Path("runs/own/campaign.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"imports": [f"{name}@{'0' * 64}"]}))
    said = tune("--resume", "own", "--results", "runs", "--trust-sources", code=2)
    assert "campaign.json cannot be read: imports.0 is " in said


def test_a_campaign_without_own_code_takes_none_and_needs_no_word(tune) -> None:
    golf = ["--space", "parameter_golf", *HOW, "--trials", "2", "--name", "plain"]
    tune(*golf)
    assert campaign_json("plain")["imports"] == [] and not Path("runs/plain/sources").exists()
    said = tune("--resume", "plain", "--results", "runs", "--import", "sawtooth.py", code=2)
    assert "campaign 'plain' was begun without sawtooth.py (it has none of its own)" in said
    tune("--resume", "plain", "--results", "runs", "--trials", "3", "--trust-sources")


def test_what_only_reads_a_folder_never_runs_its_code(tune, capsys) -> None:
    Path("sawtooth.py").write_text(Path("sawtooth.py").read_text() + MARK)
    tune(*SMALL_SPACE, "--trials", "8", "--stopper", "none", "--name", "own")
    Path("executed").unlink()
    from results import compare, report

    assert report.main(["runs/own"]) == 0 and status.main(["runs/own"]) == 0
    compare.main(["runs/own"])
    tune("--list", "--results", "runs")
    with forgotten():
        campaign = tuner.load("runs/own")
        assert len(campaign.trials) == 8 and "small" in repr(campaign)
    golf = ["--space", "parameter_golf", *HOW, "--trials", "2"]
    assert "with code of its own that is not given here" in tune(*golf, "--warm-start", "runs/own")
    assert "left out" in tune(*golf, "--reuse", "runs/own")
    assert not Path("executed").exists()


def test_trials_of_the_same_code_are_reused_and_those_of_a_changed_one_are_not(tune, requests) -> None:
    tune(*SMALL_SPACE, "--trials", "8", "--stopper", "none", "--name", "first")
    requests.clear()
    out = tune(*SMALL_SPACE, "--trials", "8", "--stopper", "none", "--name", "second", "--reuse", "runs/first")
    first = {row["key"]: row for row in Store.open(Path("runs/first")).trials()}
    finished = {key for key, row in first.items() if row["status"] == "completed"}
    assert finished and "left out" not in out and not finished & {request.key for request in requests}
    own = sum("Sawtooth" in row["config"] and key in finished for key, row in first.items())
    Path("sawtooth.py").write_text(Path("sawtooth.py").read_text() + "\n# another\n")
    out = tune(*SMALL_SPACE, "--trials", "5", "--name", "third", "--reuse", "runs/first", "--warm-start", "runs/first")
    assert f"left out {own}: Sawtooth is of another source: " in out and own
    third = Store.open(Path("runs/third")).trials()
    assert not any("Sawtooth" in row["config"] and row["key"] in first for row in third)


BAD_SPACE = {
    "X = 1": "small_space.py, line 1: it defines no Space",
    "{text}\nMORE = replace(SPACE, name='more')": "small_space.py, line 38: two Spaces, SPACE ('small') and MORE",
    "{text}\nfrom search_spaces.ngpt.space import SPACE": "small_space.py, line 1: it defines no Space",
    "{ngpt}": "small_space.py, line 24: the space 'ngpt' is there already: give yours another name",
    "{slash}": "small_space.py, line 24: the space's name is '../x' but must be of letters",
    "{text}\nSPACE = replace(SPACE, objective='val_bbp')": "small_space.py, line 38: space small has the objective",
    "import no_such_module": "small_space.py, line 1: No module named 'no_such_module'",
    "{text}\ndef": "small_space.py, line 38: invalid syntax",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD_SPACE)
def test_a_bad_file_of_a_space_is_one_line_and_makes_nothing(tune, text) -> None:
    whole = Path("small_space.py").read_text()
    named = {"{ngpt}": whole.replace('"small"', '"ngpt"'), "{slash}": whole.replace('"small"', '"../x"')}
    Path("small_space.py").write_text(named.get(text, text.replace("{text}", whole.rstrip())))
    said = tune(*SMALL_SPACE, "--name", "own", code=2)
    assert BAD_SPACE[text] in said and not Path("runs").exists()


UNKNOWN = {
    ("--space", "small"): "unknown space 'small': did you mean 'small_space.py'?",
    ("--space", "small_spce.py"): "there is no file 'small_spce.py': did you mean 'small_space.py'?",
    ("--space", "parameter_golf", "--import", "sawtoth"): "did you mean 'sawtooth.py'?",
    ("--space", "parameter_golf", "--import", "sawtooth.py", "--set", "schedule=Sawtoth"): "did you mean 'Sawtooth'?",
    ("--list", "--import", "sawtooth.py"): "--import goes with a search, --replay, --resume",
    ("--space", "parameter_golf", "--trust-sources"): "--trust-sources goes with --resume, not with a search",
}  # fmt: skip


@pytest.mark.parametrize("options", UNKNOWN, ids=" ".join)
def test_a_name_that_is_no_file_and_no_space_is_answered_with_the_nearest(tune, options) -> None:
    assert UNKNOWN[options] in tune(*options, code=2)
    assert not Path("runs").exists()


def test_a_component_of_ones_own_is_set_shown_and_listed_in_a_space_of_ours(tune, requests, monkeypatch) -> None:
    monkeypatch.syspath_prepend(".")  # as python -m does
    Path("nudge.py").write_text(HOOK)
    own = ["--import", "nudge.py", "--import", "sawtooth"]
    golf = ["--space", "parameter_golf", *own, *HOW, "--set", "schedule=Sawtooth", "--set", "hooks.Nudge.amount=0.001"]
    tune(*golf, "--trials", "2", "--name", "own")
    assert len(requests) == 2 and "Nudge@" in requests[0].config and "Sawtooth@" in requests[0].config
    assert "Sawtooth" in tune("--list", "--space", "small_space.py", "--import", "sawtooth.py")
    shown = tune("--space", "parameter_golf", "--show", "H1", "--import", "sawtooth.py", "--set", "schedule=Sawtooth")
    assert "Sawtooth" in shown
    out = tune("--space", "parameter_golf", "--replay", "BASE", *own, *HOW[:5], "--data", "text", *SET_SMALL,
               "--name", "x", "--set", "schedule=Sawtooth")  # fmt: skip
    assert "1 completed" in out and "Sawtooth@" in requests[-1].config


# --- from Python ------------------------------------------------------------------------------------------------------

ASKED = {
    "scale": "proxy", "overrides": SMALL, "data": "text", "audit": False, "results": "runs", "confirm": False,
    "display": False,
}  # fmt: skip


def test_files_are_searched_from_python_and_gone_on_with(requests) -> None:
    with forgotten():
        campaign = tuner.search(Path("small_space.py"), imports=[Path("sawtooth.py")], trials=3, name="own", **ASKED)
        assert campaign.resume(trials=4).spec.trials == 4, "the user has given the code in this process"
        assert campaign.spec.imports == tuple(
            own_source.read(f"{name}.py").identity for name in ("sawtooth", "small_space")
        )
    with forgotten():
        with pytest.raises(ValueError, match=r"give the same again .* and say trust_sources=True to run that"):
            tuner.load("runs/own").resume(trials=5, display=False)
        assert tuner.load("runs/own").resume(trials=5, trust_sources=True, display=False).spec.trials == 5
    with forgotten():
        found = tuner.load("runs/own").resume(trials=6, imports=["sawtooth.py", "small_space.py"], display=False)
        assert found.best() is not None and requests[-1].sources
    assert [source["name"] for source in requests[0].sources] == ["sawtooth", "small_space"]


def test_code_of_a_name_that_another_campaign_has_brought_is_no_word_for_what_a_folder_keeps(requests) -> None:
    with forgotten():
        tuner.search("small_space.py", imports=["sawtooth.py"], trials=2, name="own", **ASKED)
    Path("sawtooth.py").write_text(Path("sawtooth.py").read_text() + "\n# mine\n")
    with forgotten():
        tuner.search("small_space.py", imports=["sawtooth.py"], trials=2, name="mine", **ASKED)
        with pytest.raises(ValueError, match=r"give the same again \(imports sawtooth.py\), or look at what is kept"):
            tuner.load("runs/own").resume(trials=3, display=False)


def test_a_space_object_brings_the_modules_of_its_components(requests, monkeypatch) -> None:
    monkeypatch.syspath_prepend(".")
    shutil.move("sawtooth.py", "own_sawtooth_py.py")
    with forgotten():
        import own_sawtooth_py  # type: ignore[import-not-found]

        golf = load_space("parameter_golf")
        knob = Knob("schedule", Choice(Cosine(), own_sawtooth_py.Sawtooth()), "mine")
        own = tuner.search(_with(golf, "mine", knob), trials=4, name="own", **ASKED)
        assert [text.partition("@")[0] for text in own.spec.imports] == ["own_sawtooth_py"]
        assert any("Sawtooth@" in request.config for request in requests)
        assert own.resume(trials=5, display=False).spec.trials == 5
        with pytest.raises(ValueError, match=r"^Sawtooth is of own_sawtooth_py, .* give imports own_sawtooth_py.py"):
            tuner.search(golf, trials=2, **{**ASKED, "overrides": {**SMALL, "schedule": "Sawtooth"}})
    sys.modules.pop("own_sawtooth_py", None)


def test_a_component_that_is_defined_in_a_script_or_notebook_is_refused(requests) -> None:
    with forgotten():
        text = Path("sawtooth.py").read_text().partition("from __future__ import annotations\n")[2]
        values: dict = {"__name__": "__main__"}
        exec(compile(text, "<cell>", "exec", dont_inherit=True), values)
        knob = Knob("schedule", Choice(values["Sawtooth"](), Cosine()), "mine")
        space = _with(load_space("parameter_golf"), "mine", knob)
        with pytest.raises(ValueError, match=r"^Sawtooth is defined in __main__, .* own and give that by imports$"):
            tuner.search(space, trials=2, **ASKED)
    assert not requests and not Path("runs").exists()


def _with(space, name: str, *knobs: Knob):
    from dataclasses import replace

    return replace(space, name=name, question="Mine?", knobs=knobs)


def test_sources_are_kept_in_an_object_store_too() -> None:
    folder = location("memory://own/runs/night")
    package = Source("own_pack.b", {"own_pack/__init__.py": "", "own_pack/b.py": "B = 1", "own_pack/c/d.py": "D = 2"})
    own_code.keep(folder, [own_source.read("sawtooth.py"), package])
    assert (
        own_code.kept(folder, "sawtooth") == own_source.read("sawtooth.py")
        and own_code.kept(folder, "own_pack.b") == package
    )
