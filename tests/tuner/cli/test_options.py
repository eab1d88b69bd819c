from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import ray

from tuner.cli import option_groups, options
from tuner.command import Begin, Resume, Start
from tuner.run import main
from tuner.spec import CampaignSpec

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit"]

MISTAKES = {  # command line -> what the one line must hold
    (): "--space NAME",
    (*GOLF, "--keep", "bast"): "--keep: 'bast' is no value of it: did you mean 'best'",
    (*GOLF, "--monitor", "update"): "--monitor: 'update' is no monitor: did you mean 'updates'",
    (*GOLF, "--monitor", ","): "--monitor: ',' has an empty name: a list has its names between single commas",
    (*GOLF, "--objective", "val_bpb,"): "'val_bpb,' has an empty name",
    (*GOLF, "--replay", "H1,,H2"): "'H1,,H2' has an empty name",
    (*GOLF, "--monitor", "updates,none"): "--monitor: 'none' stands alone: give all, none, or some of updates",
    (*GOLF, "--checkpoint-every", "0"): "--checkpoint-every: '0' is not a whole number in 1..1",
    (*GOLF, "--checkpoint-every", "validaton"): "'validaton' is neither a number of steps in digits nor a moment: did",
    (*GOLF, "--checkpoint-every", "1e3"): "'1e3' is neither a number of steps in digits (1000 in digits) nor a moment",
    (*GOLF, "--checkpoint-every", "240"): "--checkpoint-every 240 would write nothing: trials have 240 steps, and",
    (*GOLF, "--checkpoint-every", "500", "--set", "budget.steps=30"): "trials have 30 steps, and a checkpoint at the",
    (*GOLF, "--checkpoint-every", "validation", "--stopper", "none"): "is evaluated before its end (--reports N)",
    (
        *GOLF[:2],
        "--replay",
        "BASE",
        "--checkpoint-every",
        "9999",
    ): "--checkpoint-every 9999 would write nothing: the longest trial has 240",
    ("--resume", "x", "--no-audit", "--dry-run"): "--no-audit goes with a search or --replay, not with --resume, "
    "whose campaign was audited, or not, when it began",
    ("--resume", "x", "--name", "y"): "not with --resume, whose campaign has its name",
    (*GOLF, "--tokenizer", "gpt2"): "unknown option '--tokenizer': a search takes --set data.tokenizer=gpt2",
    (*GOLF, "--num-layers=4"): "unknown option '--num-layers': a search takes --set model.num_layers=4",
    (*GOLF, "--data.tokenizer", "--dry-run"): "a search takes --set data.tokenizer=VALUE",
    (*GOLF, "--seq-len", "9"): "a search takes --set data.seq_len=9 or --set evaluation.seq_len=9",
    (*GOLF, "--tokenizer", "a b"): "a search takes --set 'data.tokenizer=a b'",
    (*GOLF, "--tokenizer", "x" * 99): "a search takes --set data.tokenizer=VALUE",
    ("--spcae", "parameter_golf"): "unknown option '--spcae': did you mean '--space'",
    ("--space=parameter_gulf",): "unknown space 'parameter_gulf': did you mean 'parameter_golf'",
    ("parameter_golf",): "'parameter_golf' is no option, and no name is taken here: --space NAME searches a space",
    (*GOLF[:2], "--scale", "prxy"): "no scale 'prxy': did you mean 'proxy'",
    ("--space",): "--space: expected one argument",
    (*GOLF, "--confirm", "-1x3"): "('-1x3' begins as an option does: --confirm=-1x3 gives it as a value)",
    (*GOLF, "--confirm", "3x0"): "'3x0' asks for 0 seeds, but each candidate takes 2 to 30, from fewer to more",
    (*GOLF, "--confirm", "0x3"): "'0x3' asks for 0 candidates, but 1 to 10 can be confirmed",
    (*GOLF, "--set", "optimizer.matrix_lr=nan"): "matrix_lr is nan but must be finite",
    (*GOLF, "--set", "optimizer.matrix_lr=-Inf"): "matrix_lr is -Inf but must be finite",
    (*GOLF, "--warm-start", "/usr", "--dry-run"): "--warm-start: /usr is no campaign: it holds no campaign.json",
    (*GOLF, "--warm-start", "recorded", "recorded"): "--warm-start: 'recorded' is given twice: once is enough",
    (*GOLF, "--warm-start", "there", "./runs/there"): "--warm-start: 'runs/there' is given twice",
    (*GOLF, "--reuse", "there", "runs/there"): "--reuse: 'runs/there' is given twice",
    (*GOLF, "--constraint", "val_bpb<=9", "--constraint", "val_bpb<=9"): "--constraint: 'val_bpb<=9' is given twice",
    (*GOLF, "--monitor", "updates,clips,updates"): "--monitor: 'updates' is given twice: once is enough",
    (*GOLF, "--reuse", "/usr", "--dry-run"): "--reuse: /usr is no campaign: it holds no campaign.json",
    (
        *GOLF,
        "--objective",
        "val_bpb,train_seconds",
        "--promote",
    ): "none is stopped: early stopping judges by one objective",
    (
        *GOLF,
        "--objective",
        "train_minutes",
        "--constraint",
        "val_bpb<=9",
        "--promote",
    ): "train_minutes is known at the end",
    ("--space", "parameter_golf", "--replay", "H1", "--promote"): "to its end unless --stopper predictive is given too",
    (*GOLF, "--set", "optimizer.matrx_lr=0.1"): "no knob 'matrx_lr': did you mean 'optimizer.matrix_lr'",
    (*GOLF, "--set", "optimiser.matrix_lr=0.1"): "no knob 'optimiser': did you mean 'optimizer'",
    (*GOLF, "--set", "hooks.GradientClap.max_norm=1"): "'GradientClap' is not a hook: did you mean 'GradientClip'",
    (*GOLF, "--set", "schedule=Cosin"): "'Cosin' is not a schedule: did you mean 'Cosine'",
    (*GOLF, "--set", "optimizer.matrix_lr=fast"): "MuonAdam.matrix_lr is 'fast' but must be a number",
    (*GOLF, "--set", "optimizer.matrix_lr=NaN"): "NaN is not a value",
    (*GOLF, "--set", "optimizer.matrix_lr=1e999"): "must be finite",
    (*GOLF, "--set", "a=\n[NaN]"): r"'a=\n[NaN]'",
    (*GOLF, "--set", "model.num_layers=2.5"): "GPT.num_layers is 2.5 but must be a whole number",
    (*GOLF, "--set", "model.num_heads=7"): "GPT.model_dim is 64 but must be a multiple of 2 * num_heads = 14",
    (*GOLF, "--set", "budget.steps=0"): "Budget.steps is 0 but must be null or at least 1",
    (*GOLF, "--set", "budget.steps=null"): "a Budget needs a limit",
    (*GOLF, "--set", "seed.more=1"): "goes below a plain value",
    (*GOLF, "--set", "matrix_lr"): "--set takes PATH=VALUE, not 'matrix_lr'",
    (*GOLF, "--set", "=3"): "--set takes PATH=VALUE, not '=3'",
    (*GOLF, "--set", "seed="): "--set 'seed=' gives seed an empty value: --set takes PATH=VALUE",
    (*GOLF, "--set", "seed=1", "--set", "seed=2"): "seed is set twice",
    (*GOLF, "--set", "seed=1", "--seed", "2"): "seed is set twice",
    (*GOLF, "--data", "a", "--set", "data.source=b"): "data.source is set twice",
    (*GOLF, "--set", "model.num_layers=2", "--set", "model.encoder_layers=3"): "encoder_layers is 3",
    (*GOLF, "--set", "model.num_layers=2"): "encoder_layers is 4",
    (*GOLF, "--set", "optimizer.adam_beta2=1.5"): "1.5",
    (*GOLF, "--trials", "0"): "--trials: '0' is not a whole number of at least 1",
    (*GOLF, "--trials", "many"): "'many' is not a whole number",
    (*GOLF, "--trials", "-3"): "-3",
    (*GOLF, "--seed", "-1"): "-1",
    (*GOLF, "--seed", str(2**63)): "is not a whole number in 0..2^63-1",
    (*GOLF, "--hours", "0"): "'0' is not a positive number of hours",
    (*GOLF, "--hours", "1e-320"): "'1e-320' is not a positive number of hours up to 1,000,000, at least 0.0001",
    (*GOLF, "--stall-minutes", "1e-9"): "'1e-9' is not a positive number of minutes up to 1,000,000, at least 0.01",
    (*GOLF, "--hours", "nan"): "'nan' is not a positive number",
    (*GOLF, "--hours", "1e999"): "'1e999' is not a positive number",
    (*GOLF, "--concurrent", "4096"): "--concurrent is 4096 but must be in 1..",
    (*GOLF, "--concurrent", "1.5"): "'1.5' is not a whole number",
    (*GOLF, "--name", "../elsewhere"): "the campaign name '../elsewhere' must begin with",
    (*GOLF, "--name", "/tmp/elsewhere"): "the campaign name '/tmp/elsewhere'",
    (*GOLF, "--name", ".hidden"): "the campaign name '.hidden'",
    (*GOLF, "--name", ""): "--name is empty: give a text, or leave it out",
    (*GOLF, "--name", "n" * 300): "at most 200",
    (*GOLF, "--name", "there"): "choose another --name, or go on with: python -m tuner.run --resume there",
    (
        *GOLF,
        "--data",
        "no/such/path",
    ): "there are no data 'no/such/path', which is neither a file or folder nor a dataset: ",
    (*GOLF, "--data", "fineweb10B_sp1023"): "did you mean 'fineweb10B_sp1024'",
    (*GOLF, "--data", "d" * 300): "dddd",
    (*GOLF, "--data", "empty"): "empty",
    (*GOLF, "--data", "shards"): "no shard of the val split",
    ("--resume",): "there is no campaign in nothing to resume",
    ("--resume", "ther"): "did you mean 'runs/there'",
    ("--resume", ".."): "is where names are looked up, and '..' is a path: leave it out, or give a name",
    ("--resume", ""): "'' names no place",
    ("--resume", "n" * 300): "at most 255",
    (
        "--resume",
        "there",
        "--seed",
        "1",
    ): "--seed goes with a search or --replay, not with --resume, which goes on",
    ("--resume", "there", "--set", "seed=1"): "--set goes with a search, --replay or --show, not with --resume",
    ("--resume", "there", "--name", "other"): "--name goes with a search or --replay, not with --resume",
    ("--resume", "there", "--scale", "full"): "--scale goes with a search, --replay or --show, not with --resume",
}


LOOKING = {  # the same, where no --results may stand
    ("--list", "--space", "nope"): "unknown space 'nope'",
    (
        "--list",
        "--space",
        "mainrun",
        "--compile",
    ): "--compile goes with a search, --replay or --resume, not",
    ("--list", "--space", "mainrun", "--results", "runs"): "--results goes with a search, --replay, --resume or --list",
    (*GOLF[:2], "--show", "H1", "--no-audit"): "--no-audit goes with a search or --replay, not with --show, which only",
}


@pytest.fixture
def workplace(tmp_path, monkeypatch, bench) -> Path:
    """A working folder with a campaign in runs, data that is no good, and no way to start Ray."""

    def no_ray(**options) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(ray, "init", no_ray)
    bench.folder = tmp_path / "runs" / "there"
    bench.store()
    (tmp_path / "empty").mkdir()
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "x_train_000000.bin").write_bytes(b"")
    return tmp_path


def everything(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.name != "cache")


@pytest.mark.parametrize("arguments", [*MISTAKES, *LOOKING], ids=lambda a: " ".join(a)[:60])
def test_a_mistake_is_one_line_with_what_was_wrong_and_writes_nothing(workplace, capsys, arguments) -> None:
    before = everything(workplace)
    results = ["--results", "nothing" if arguments == ("--resume",) else "runs"]
    try:
        code = main([*arguments, *([] if arguments in LOOKING else results)])
    except SystemExit as end:
        code = end.code
    errors = capsys.readouterr().err
    assert code == 2
    assert errors.startswith("python -m tuner.run: ") and errors.endswith("\n") and errors.count("\n") == 1
    assert (MISTAKES | LOOKING)[arguments] in errors
    assert everything(workplace) == before


def test_a_results_folder_that_cannot_be_one_is_a_mistake(workplace, capsys) -> None:
    (workplace / "file").write_text("")
    assert main([*GOLF, "--results", "file", "--name", "a"]) == 2
    assert f"--results 'file' cannot be used: {workplace / 'file'} is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--trials", "x"), (*GOLF, "--set", "model.num_layer=2")])
def test_a_mistake_ends_the_real_command_with_code_2_and_without_a_traceback(tmp_path, arguments) -> None:
    command = [sys.executable, "-m", "tuner.run", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("python -m tuner.run: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_settings_are_read_as_json_where_they_parse_and_as_text_elsewhere() -> None:
    given = ["a=1", "b=1.5", "c=true", "d=None", "e=Tidal", "f=[1,2]", "g=x=y"]
    found = options.overrides(given, "stdlib")
    assert found == {
        "a": 1, "b": 1.5, "c": True, "d": None, "e": "Tidal", "f": [1, 2], "g": "x=y", "data.source": "stdlib"
    }  # fmt: skip


def test_a_path_to_data_is_kept_in_full_so_that_workers_and_resumes_find_it(tmp_path, monkeypatch) -> None:
    (tmp_path / "texts").mkdir()
    monkeypatch.chdir(tmp_path)
    assert options.overrides([], "texts") == {"data.source": str(tmp_path / "texts")}
    assert options.overrides(["data.source=./texts"], None) == {"data.source": str(tmp_path / "texts")}
    assert options.overrides([], "not there") == {"data.source": "not there"}


def test_defaults_leave_every_choice_to_the_space_and_the_machine() -> None:
    assert options.parse(["--space", "parameter_golf"]) == Begin(CampaignSpec(space="parameter_golf"), Start())
    assert Start().results == Path("results/runs") and Start().planning is None


def test_resume_without_a_name_means_the_latest() -> None:
    assert options.parse(["--resume"]) == Resume(option_groups.LATEST)
    assert options.parse(["--resume", "a", "--trials", "3"]) == Resume("a", {"trials": 3})


@pytest.mark.parametrize(
    ("option", "given", "near"), [("--stopper", "hyperbend", "hyperband"), ("--fidelity", "branches", "branch")]
)
def test_a_stopper_or_fidelity_of_another_name_is_refused_with_the_nearest(option, given, near, capsys) -> None:
    assert getattr(options.parse(["--space", "a", option, near]).spec, option.strip("-")) == near
    with pytest.raises(SystemExit):
        options.parse(["--space", "a", option, given])
    assert f"{given!r}" in capsys.readouterr().err
