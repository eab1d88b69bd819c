"""Input that is no good, through the real commands: one line that names it, exit code 2, never a traceback.

The command lines of ``tuner.run`` have their own table (tests/tuner/cli/test_options.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import (
    code_size,
    confirm_power,
    fidelity_choice,
    fidelity_curves,
    reach_recorded,
    record_table,
    search_efficiency,
    step_time,
)
from results import compact, compare, fidelity, report
from results.store.campaign_folder import Store
from search_spaces import coverage, recorded
from tests.one_file_a_trial import one_file_a_trial
from trainable.data import shards
from trainable.data.tokenizer import Tokenizer
from trainable.worker import checkpoint
from tuner import run, start, status
from tuner.audit import report as audit_report

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--results", "runs", "--name", "new"]
RECORD = {
    "space": "parameter_golf", "scale": "proxy", "objective": "val_bpb", "objectives": ["val_bpb"], "constraints": [],
    "overrides": {}, "base": {}, "trials": 2, "seed": None, "data": "x", "stopper": "asha", "fidelity": "truncate",
}  # fmt: skip
TRIAL = {
    "key": "k1", "status": "completed", "number": 0, "value": 1.0, "last_value": 1.0, "overrides": "{}",
    "config": "null", "objective": "val_bpb", "is_base": True, "attempt": 1, "budget": 9.0, "budget_unit": "steps",
    "seed": 1, "data": "x",
}  # fmt: skip
RECORDED = {
    "metric": "val_bpb", "reading": "as_run", "runs": [], "replicates": [], "same": [], "progression": [],
    "effects": [], "plateau": None,
}  # fmt: skip
READERS: dict[str, Callable[[Path], int]] = {  # every command that reads a campaign
    "report": lambda folder: report.main([str(folder)]),
    "compare": lambda folder: compare.main([str(folder)]),
    "compact": lambda folder: compact.main([str(folder), "target"]),
    "status": lambda folder: status.main([str(folder)]),
    "reuse": lambda folder: run.main([*GOLF, "--reuse", str(folder)]),
    "warm start": lambda folder: run.main([*GOLF, "--warm-start", str(folder)]),
    "resume": lambda folder: run.main(["--resume", str(folder)]),
}


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    """A working folder of its own, and no way to start Ray."""

    def no_ray(**options: Any) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray, "init", no_ray)
    return tmp_path


@pytest.fixture
def campaign(workplace) -> Path:
    folder = workplace / "runs" / "there"
    Store.create(folder, RECORD, {}).write_trial(TRIAL)
    return one_file_a_trial(folder)


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    """Call a command; its one line on stderr, once it has ended with code 2."""

    def call(command: Callable[..., int], *arguments: Any) -> str:
        try:
            code = command(*arguments)
        except SystemExit as end:
            code = end.code
        errors = capsys.readouterr().err
        assert code == 2, f"{code}: {errors}"
        assert errors.count("\n") == 1 and errors.startswith("python -m "), errors
        return errors

    return call


# --- a campaign's folder ----------------------------------------------------------------------------------------------


def changed(**fields: Any) -> Callable[[Path], None]:
    """campaign.json with other fields; ... takes one away."""

    def damage(folder: Path) -> None:
        file = folder / "campaign.json"
        found = json.loads(file.read_text()) | fields
        file.write_text(json.dumps({name: value for name, value in found.items() if value is not ...}))

    return damage


def content(name: str, written: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(written) and None


def cell(name: str, value: Any) -> Callable[[Path], None]:
    """The trial's file with another cell, well formed."""

    def damage(folder: Path) -> None:
        file = folder / "trials" / "k1.parquet"
        table = pq.read_table(file)
        index = table.schema.get_field_index(name)
        pq.write_table(table.set_column(index, table.schema.field(index), pa.array([value], table[name].type)), file)

    return damage


def cut(folder: Path) -> None:
    file = folder / "trials" / "k1.parquet"
    file.write_bytes(file.read_bytes()[:-9])


def flipped(folder: Path) -> None:
    """One bit of the first page."""
    file = folder / "trials" / "k1.parquet"
    whole = bytearray(file.read_bytes())
    whole[60] ^= 4
    file.write_bytes(bytes(whole))


def a_folder_instead(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def a_file_instead(folder: Path) -> None:
    shutil.rmtree(folder / "trials")
    (folder / "trials").write_text("")


ALL = tuple(READERS)
RESUME, COMPARE = ("resume",), ("compare",)
ROWS = tuple(name for name in READERS if name != "resume")  # a resume sets a damaged file aside, and goes on
FOLDERS: dict[str, tuple[Callable[[Path], Any], tuple[str, ...], str]] = {  # damage, commands that refuse it, words
    "no campaign.json": (lambda f: (f / "campaign.json").unlink(), ROWS, "is no campaign"),
    "an empty campaign.json": (content("campaign.json", b""), ALL, "cannot be read"),
    "bytes that are no text": (content("campaign.json", bytes(range(256))), ALL, "cannot be read"),
    "a list": (content("campaign.json", b"[]"), ALL, "must hold an object"),
    "brackets without end": (content("campaign.json", b"[" * 100_000), ALL, "cannot be read"),
    "a folder called campaign.json": (a_folder_instead("campaign.json"), ROWS, "is no campaign"),
    "no knobs": (changed(knobs=...), ALL, "'knobs'"),
    "an unknown type of a knob": (changed(knobs={"a": "float63"}), ALL, "did you mean 'float64'"),
    "a type that is a list": (changed(knobs={"a": [1]}), ALL, "'a'"),
    "a version to come": (changed(schema_version=99), ALL, "99"),
    "a version in words": (changed(schema_version="1"), ALL, "schema_version is '1'"),
    "a version that is true": (changed(schema_version=True), ALL, "schema_version is true"),
    "a space that is a number": (changed(space=3), ALL, "space is 3 but must be text"),
    "overrides that are a list": (changed(overrides=[1]), ALL, "overrides is [1] but must be an object"),
    "trials in words": (changed(trials="many"), ALL, "trials is 'many' but must be a whole number"),
    "a seed in words": (changed(seed="x"), ALL, "seed is 'x'"),
    "objectives that are numbers": (changed(objectives=[1]), ALL, "objectives.0 is 1 but must be text"),
    "a replay that is a number": (changed(replay=7), ALL, "replay is 7"),
    "a replay of nothing": (changed(replay={}), ALL, "it holds no 'replay.selections'"),
    "a record that is a number": (changed(recorded=5), ALL, "recorded is 5"),
    "an empty record": (changed(recorded={}), ALL, "it holds no 'recorded.metric'"),
    "a record of a run without its value": (
        changed(recorded=RECORDED | {"runs": [{"id": 1}]}), ALL, "recorded.runs.0.id is 1 but must be text"
    ),
    "no record": (lambda f: None, COMPARE, "is no replay"),
    "no space": (changed(space=...), RESUME, "holds no 'space'"),
    "no scale": (changed(scale=...), RESUME, "holds no 'scale'"),
    "no trials": (changed(trials=...), RESUME, "holds no 'trials'"),
    "no stopper": (changed(stopper=...), RESUME, "holds no 'stopper'"),
    "an unknown space": (changed(space="parameter_gulf"), RESUME, "did you mean 'parameter_golf'"),
    "an unknown scale": (changed(scale="prxy"), RESUME, "did you mean 'proxy'"),
    "an unknown objective": (changed(objectives=["val_bpc"]), ALL, "did you mean 'val_bpb'"),
    "an unknown constraint": (changed(constraints=["params<=1"]), RESUME, "did you mean 'parameters'"),
    "an override of no knob": (changed(overrides={"model.num_layer": 1}), RESUME, "did you mean"),
    "recorded runs that do not exist": (
        changed(replay={"selections": ["ZZ9"], "reading": "as_run", "seeds": 1}), RESUME, "ZZ9"
    ),
    "another version of the space": (lambda f: None, RESUME, "another version of space"),
    "a compacted campaign": (changed(compacted=True), RESUME, "is compacted"),
    "a file for the folder of trials": (a_file_instead, ALL, "trials is a file"),
    "a cut file": (cut, ROWS, "k1.parquet cannot be read"),
    "an empty file": (content("trials/k1.parquet", b""), ROWS, "k1.parquet cannot be read"),
    "a changed bit": (flipped, ROWS, "k1.parquet cannot be read"),
    "a folder called like a trial": (a_folder_instead("trials/k1.parquet"), ROWS, "k1.parquet cannot be read"),
    "other columns": (lambda f: pq.write_table(pa.table({"x": [1]}), f / "trials/k1.parquet"), ROWS, "its columns"),
    "an unknown status": (cell("status", "done"), ROWS, "status 'done' does not exist"),
    "no status": (cell("status", None), ROWS, "status None does not exist"),
    "no key": (cell("key", None), ROWS, "its rows are of None"),
    "the key of another trial": (cell("key", "k2"), ROWS, "its rows are of 'k2'"),
    "overrides that are no JSON": (cell("overrides", "{"), ROWS, "overrides is '{' but must be JSON"),
    "overrides that are no object": (cell("overrides", "[1]"), ROWS, "overrides is '[1]' but must be JSON"),
    "a config that is no JSON": (cell("config", "{"), ROWS, "config is '{' but must be JSON"),
    "a config of nothing known": (cell("config", '{"type": "GTP"}'), ("warm start", "reuse"), "did you mean 'GPT'"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_damaged_campaign_is_refused_in_one_line_by_every_command(name, campaign, refused) -> None:
    damage, commands, words = FOLDERS[name]
    damage(campaign)
    for command in commands:
        assert words in refused(READERS[command], campaign), command
    assert not Path("target").exists() and not (campaign.parent / "new").exists()


# --- what the commands are given --------------------------------------------------------------------------------------

COMMANDS: dict[tuple[Any, ...], str] = {
    (report.main,): "arguments are required: CAMPAIGN",
    (report.main, "runs/there", "day"): "'day' is one name too many: one name is taken here, CAMPAIGN; python -m "
    "results.compare sets several side by side",
    (report.main, "nowhere"): "nowhere is no campaign",
    (report.main, "runs/ther"): "did you mean 'there'",
    (report.main, "x", "--tpo", "3"): "unknown option '--tpo': did you mean '--top'",
    (report.main, "x", "--html", "x"): "unknown option '--html': the page is report.html in the campaign's folder",
    (report.main, "x", "--picture=x"): "unknown option '--picture': --png FOLDER writes the page's pictures",
    (report.main, "x", "--top", "x"): "'x' is not a whole number of at least 1",
    (report.main, "x", "--top", "0"): "'0' is not a whole number of at least 1",
    (compare.main,): "which campaigns?",
    (compare.main, "nowhere"): "nowhere is no campaign",
    (compare.main, "--space", "parameter_gulf"): "no replay of 'parameter_gulf' is kept here",
    (compare.main, "runs/there", "--space", "ngpt"): "replays 'parameter_golf', not 'ngpt'",
    (compare.main, "x", "--top", "-1"): "--top",
    (compact.main,): "arguments are required: CAMPAIGN, TARGET",
    (compact.main, "nowhere", "t"): "nowhere is no campaign",
    (compact.main, "runs/there", ".t"): "the campaign name '.t' must begin with",
    (compact.main, "runs/there", "runs/there"): "exists already",
    (status.main,): "there is no campaign in results/runs to show",
    (status.main, "nowhere"): "nowhere is no campaign",
    (audit_report.main,): "arguments are required: --space",
    (audit_report.main, "--space", "parameter_gulf"): "did you mean 'parameter_golf'",
    (audit_report.main, "--space", "ngpt", "--reading", "as_ran", "--only", "x"): "did you mean 'as_run'",
    (audit_report.main, "--space", "ngpt", "--only", "ZZ9"): "no recorded run 'ZZ9'",
    (coverage.main, "--nope"): "unknown option '--nope'",
    (coverage.main, "--space", "nanochta"): "did you mean 'nanochat'",
    (coverage.main, "--space", "ngpt", "--only", "ZZ9"): "no recorded run is called 'ZZ9'",
    (coverage.main, "--steps", "0"): "'0' is not a whole number",
    (coverage.main, "--every", "x"): "'x' is not a whole number",
    (coverage.main, "--jobs", "0"): "'0' is not a whole number",
    (coverage.main, "--space", "ngpt", "--backend", "inducter"): "did you mean 'inductor'",
    (coverage.main, "--space", "ngpt", "--write", "no/such/file"): "--write no/such/file: there is no folder",
    (coverage.main, "--space", "ngpt", "--journal", "no/such/file"): "--journal no/such/file: there is no folder",
    (coverage.main, "--space", "ngpt", "--journal", "journal"): "line 1 is no outcome",
    (fidelity.main,): "arguments are required: CAMPAIGN",
    (fidelity.main, "nowhere"): "nowhere is no campaign",
    (fidelity.main, "runs/there", "--every"): "unknown option '--every': did you mean '--every-part'",
    (code_size.main, "nowhere"): "nowhere holds none of the packages",
    (confirm_power.main, "--quik"): "did you mean '--quick'",
    (fidelity_choice.main, "--configs", "0"): "'0' is not a whole number",
    (fidelity_curves.main, "journal"): "has no column",
    (reach_recorded.main, "runs", "--methods", "wram"): "did you mean 'warm'",
    (record_table.main, "new.jsonl", "--space", "golf"): "unknown space 'golf'",
    (record_table.main, "new.jsonl", "--trials", "x"): "'x' is not a whole number",
    (search_efficiency.main, "nowhere"): "nowhere: ",
    (step_time.main, "--only", "prxy"): "'prxy' is no value of it: valid values: 128, 256, 512, 64",
    (run.main, *GOLF, "--dry-run", "--reuse", "nowhere"): "nowhere is no campaign",
    (
        run.main,
        *GOLF,
        "--dry-run",
        "--warm-start",
        "runs/gone",
    ): "--warm-start: runs/gone is no campaign: it holds no campaign.json",
    (run.main, *GOLF, "--dry-run", "--data", "gone/"): "neither a file or folder nor a dataset",
    (run.main, *GOLF, "--dry-run", "--constraint", "parameters<=10"): "the base breaks a constraint",
    (run.main, "--list", *GOLF[:2], "--show", "H1"): "--show stands alone, not with --list --space, which only looks",
    (
        run.main,
        *GOLF[:2],
        "--show",
        "H1",
        "--hours",
        "3",
    ): "--hours goes with a search, --replay or --resume",
    (
        run.main,
        *GOLF[:2],
        "--show",
        "H1",
        "--seed",
        "3",
    ): "--seed goes with a search or --replay, not with --show",
    (
        run.main,
        "--list",
        "--set",
        "seed=1",
    ): "--set goes with a search, --replay or --show, not with --list",
    (run.main, *GOLF[:2], "--show", "h1"): "did you mean 'H1'",
    (run.main, *GOLF, "--reuse", "nowhere"): "nowhere is no campaign",
    (run.main, *GOLF, "--warm-start", "recordd"): "did you mean 'recorded'",
    (run.main, *GOLF, "--stall-minutes", "0"): "'0' is not a positive number of minutes",
    (run.main, *GOLF, "--stall-minutes", "soon"): "'soon' is not a positive number of minutes",
    (run.main, *GOLF, "--stopper", "ahsa"): "did you mean 'asha'",
    (run.main, *GOLF, "--constraint", "params<=3"): "did you mean 'parameters'",
    (run.main, *GOLF, "--likely", "optimizer.matrix_lr=0.02..9"): "must be LOW..HIGH within 0.01 .. 0.3",
    (run.main, *GOLF, "--likely", "optimizer.matrix_rl=0.02..0.1"): "did you mean 'optimizer.matrix_lr'",
    (run.main, *GOLF, "--objective", "val_bpc"): "did you mean 'val_bpb'",
    (run.main, *GOLF, "--set", "model.num_layers=" + "[" * 100_000): "GPT.num_layers is '[[[",
    (run.main, *GOLF, "--replay", "bases x0"): "the number of seeds must be at least 1",
}


@pytest.mark.parametrize("called", COMMANDS, ids=lambda called: f"{called[0].__module__} {' '.join(called[1:])}"[:70])
def test_a_mistake_on_any_command_line_is_one_line(called, campaign, refused) -> None:
    Path("journal").write_text("half a li")
    command, *arguments = called
    assert COMMANDS[called] in refused(command, arguments)


# --- data -------------------------------------------------------------------------------------------------------------


def shard(magic: int = shards.MAGIC, version: int = 1, count: int = 600, tokens: int = 600, first: int = 1) -> bytes:
    header = np.zeros(shards.HEADER_INTS, dtype="<i4")
    header[:3] = magic, version, count
    return header.tobytes() + np.full(tokens, first, dtype="<u2").tobytes()


DATA: dict[str, tuple[dict[str, bytes], str]] = {  # files beside a good set, and the words of the refusal
    "an empty shard": ({"x_val_0.bin": b""}, "holds 0 bytes"),
    "half a header": ({"x_val_0.bin": shard()[:600]}, "the header of a token shard alone is 1,024"),
    "another magic number": ({"x_val_0.bin": shard(magic=7)}, "starts with the number 7"),
    "another version": ({"x_val_0.bin": shard(version=2)}, "version 2"),
    "no tokens": ({"x_val_0.bin": shard(count=0, tokens=0)}, "holds 0 tokens"),
    "fewer than none": ({"x_val_0.bin": shard(count=-1, tokens=0)}, "holds -1 tokens"),
    "a cut shard": ({"x_val_0.bin": shard(tokens=500)}, "the file is cut short"),
    "a shard with more behind it": ({"x_val_0.bin": shard(tokens=700)}, "the file is too long"),
    "a token beyond the vocabulary": ({"x_val_0.bin": shard(first=60_000)}, "validation token 60000 is beyond"),
    "no shard of a split": ({"x_val_0.bin": b"gone"}, "no shard of the val split"),
    "no tokenizer": ({"tokenizer.json": b"gone"}, "needs the tokenizer of the shards"),
    "a tokenizer that is no JSON": ({"tokenizer.json": b"{"}, "cannot be read as JSON"),
    "a tokenizer of no text": ({"tokenizer.json": b"\xff\xfe"}, "cannot be read as JSON"),
    "a tokenizer of brackets": ({"tokenizer.json": b"[" * 100_000}, "cannot be read as JSON"),
    "another format": ({"tokenizer.json": b'{"format": "byte-level BPE 9"}'}, "is not a tokenizer of the format"),
    "no tokens in a tokenizer": ({"tokenizer.json": b'{"format": "byte-level BPE 1"}'}, "damaged tokenizer"),
    "tokens of no base64": (
        {"tokenizer.json": b'{"format": "byte-level BPE 1", "pattern": "", "tokens_base64": ["?"]}'}, "damaged"
    ),
    "tokens that are numbers": (
        {"tokenizer.json": b'{"format": "byte-level BPE 1", "pattern": "", "tokens_base64": [1]}'}, "damaged"
    ),
    "tokens that are a number": (
        {"tokenizer.json": b'{"format": "byte-level BPE 1", "pattern": "", "tokens_base64": 3}'}, "damaged"
    ),
    "a vocabulary that is a list": ({"tokenizer.json": b"gone", "vocab.json": b"[]"}, "is not a GPT-2 vocabulary"),
    "ids with a gap": ({"tokenizer.json": b"gone", "vocab.json": b'{"a": 1}'}, "its values are not the ids"),
    "ids that are texts": ({"tokenizer.json": b"gone", "vocab.json": b'{"a": "x", "b": 1}'}, "its values are not"),
    "a SentencePiece model of nothing": ({"tokenizer.json": b"gone", "a.model": b"no"}, "is not a SentencePiece"),
    "two SentencePiece models": ({"tokenizer.json": b"gone", "a.model": b"", "b.model": b""}, "several models"),
}  # fmt: skip


@pytest.fixture
def data(workplace) -> Path:
    """A good folder of shards."""
    folder = workplace / "data"
    folder.mkdir()
    for name in ("x_train_0.bin", "x_val_0.bin"):
        (folder / name).write_bytes(shard(first=65))
    Tokenizer(r"\w+|\W", tuple(bytes([i]) for i in range(256))).save(folder / "tokenizer.json")
    return folder


@pytest.mark.parametrize("name", DATA)
def test_data_that_cannot_be_used_is_refused_in_one_line(name, data, refused) -> None:
    files, words = DATA[name]
    for file, written in files.items():
        (data / file).unlink(missing_ok=True)
        if written != b"gone":
            (data / file).write_bytes(written)
    assert words in refused(run.main, [*GOLF, "--data", str(data)])


# --- files of a campaign that are no command's argument ---------------------------------------------------------------

HEAD = "id,phase,name,base,overrides_as_logged,overrides_as_run,val_bpb,steps,status,note\n"
CSV: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "bytes that are no text": (b"\xff\xfe\x00", "cannot be read as CSV"),
    "other columns": (b"id,name\n", "the columns are"),
    "a quote without end": (HEAD.encode() + b'a,"b', "cannot be read as CSV"),
    "a row that is too short": (HEAD.encode() + b"a,b\n", "has 2 cells but the header has 10"),
    "a number in words": (HEAD.encode() + b"a,p,n,root,{},{},low,,done,\n", "val_bpb is 'low' but must be a number"),
    "overrides that are no JSON": (HEAD.encode() + b"a,p,n,root,{,{},1,,done,\n", "which is no JSON"),
    "overrides that are a list": (HEAD.encode() + b"a,p,n,root,[],{},1,,done,\n", "must be a JSON object"),
    "an unknown base": (HEAD.encode() + b"a,p,n,roto,{},{},1,,done,\n", "unknown base 'roto'"),
    "a run that is its own base": (HEAD.encode() + b"a,p,n,a,{},{},1,,done,\n", "is its own base"),
    "a run twice": (HEAD.encode() + 2 * b"a,p,n,root,{},{},1,,done,\n", "stands there twice"),
}


@pytest.mark.parametrize("name", CSV)
def test_recorded_runs_that_cannot_be_read_are_one_line(name, workplace) -> None:
    (workplace / "runs.csv").write_bytes(CSV[name][0])
    with pytest.raises(ValueError) as caught:
        recorded.read(workplace / "runs.csv")
    assert CSV[name][1] in str(caught.value) and "\n" not in str(caught.value)


# --- any bytes at all -------------------------------------------------------------------------------------------------

anything = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Random bytes, a file that was cut, and one with some bytes changed."""
    at = st.integers(0, len(whole) - 1)
    changes = st.lists(st.tuples(at, st.integers(0, 255)), min_size=1, max_size=4)

    def change(found: list[tuple[int, int]]) -> bytes:
        new = bytearray(whole)
        for index, value in found:
            new[index] = value
        return bytes(new)

    return st.one_of(st.binary(max_size=300), at.map(lambda end: whole[:end]), changes.map(change))


def ends(command: Callable[..., int], *arguments: Any) -> None:
    """The command says 0 or 2; an exception would fail the test."""
    assert command(*arguments) in (0, 2)


@pytest.mark.parametrize("file", ["campaign.json", "trials/k1.parquet"])
def test_no_bytes_in_a_campaign_make_a_traceback(file, campaign, capsys) -> None:
    whole = (campaign / file).read_bytes()

    @anything
    @given(damaged(whole))
    def check(written: bytes) -> None:
        (campaign / file).write_bytes(written)
        for command in ("report", "compare", "status"):
            ends(READERS[command], campaign)
        capsys.readouterr()

    check()


@pytest.mark.parametrize("file", ["x_val_0.bin", "tokenizer.json"])
def test_no_bytes_in_data_make_a_traceback(file, data, monkeypatch, capsys) -> None:
    monkeypatch.setattr(start, "run_search", lambda *args: start.Ended(0))  # what follows is not in question
    whole = (data / file).read_bytes()

    @settings(anything, max_examples=30)
    @given(damaged(whole))
    def check(written: bytes) -> None:
        (data / file).write_bytes(written)
        shutil.rmtree("runs", ignore_errors=True)
        ends(run.main, [*GOLF, "--data", str(data)])
        capsys.readouterr()

    check()


def test_no_bytes_in_a_checkpoint_are_anything_but_its_state_or_an_error_that_names_it(workplace) -> None:
    file, state = workplace / "a.safetensors", {"weights": [torch.arange(6.0)], "steps": 3}
    checkpoint.save(file.parent, file.name, state, "key")
    whole = file.read_bytes()

    @settings(anything, max_examples=200)
    @given(damaged(whole))
    def check(written: bytes) -> None:
        file.write_bytes(written)
        try:
            found = checkpoint.load(file, "key")
        except ValueError as error:
            assert str(file) in str(error)
        else:
            assert torch.equal(found["weights"][0], state["weights"][0]) and found["steps"] == 3

    check()
