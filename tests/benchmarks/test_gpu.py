"""The check of a GPU runs without one at tiny sizes; its figures are of a device, its sections independent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import sections
from benchmarks.gpu.context import Context
from benchmarks.gpu.environment import NOT_NEEDED, ROOT
from benchmarks.gpu.every_component import KINDS, placed
from benchmarks.gpu.figures import attempt
from benchmarks.gpu.sections import SECTIONS, Check, Section
from benchmarks.gpu.small import FAMILIES
from tests.absent_packages import without
from trainable.component import components

QUICK = ["--device", "cpu", "--quick"]


def failures(figures: Any, at: str = "") -> Iterator[str]:
    """Each error in a tree of figures, with its place."""
    if isinstance(figures, dict):
        if "failed" in figures:
            yield f"{at}: {figures['failed']} at {figures['at']}"
        for name, value in figures.items():
            yield from failures(value, f"{at}/{name}")


def test_the_figures_of_the_sections_asked_for_are_printed_and_written(capsys, tmp_path) -> None:
    out = tmp_path / "found.json"
    assert gpu.main([*QUICK, "--sections", "models,environment", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert json.loads(out.read_text()) == found
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]
    assert list(found) == ["device", "quick", "seconds", "environment", "models"]
    assert (found["device"], found["quick"], list(found["seconds"])) == ("cpu", True, ["environment", "models"])
    assert [line.split("] ")[1].split(":")[0] for line in printed.err.splitlines()] == ["environment", "models"]
    assert found["environment"]["torch"] == torch.__version__
    assert found["environment"]["components"]["optimizer"] == len(components("optimizer"))
    assert not list(failures(found))
    assert list(found["models"]) == list(FAMILIES)
    for row in found["models"].values():
        assert row["fp32"] == {"loss_difference": 0.0, "relative": 0.0, "worst_tensor": 0.0}  # the same device
        assert 0 < row["bf16"]["relative"] < 0.1
    assert torch.compile.__module__ == "torch"  # what a CPU has in its place is taken back


def fails(context: Context) -> dict[str, Any]:
    raise ValueError("\nno such kernel\nand more")


def test_a_section_that_fails_says_why_and_the_others_go_on(monkeypatch, capsys, tmp_path) -> None:
    out, seen = tmp_path / "found.json", []

    def looks(context: Context) -> dict[str, Any]:
        seen.append(json.loads(out.read_text()))
        return {"fine": True}

    monkeypatch.setattr(sections, "SECTIONS", {"first": Section(fails, 0), "second": Section(looks, 0)})
    assert gpu.main([*QUICK, "--out", str(out)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["first"]["failed"] == "ValueError: no such kernel"
    assert found["first"]["at"].startswith("test_gpu.py:")
    assert found["second"] == {"fine": True}
    assert seen[0]["first"] == found["first"]  # written before the second began


def test_an_interrupted_check_keeps_what_it_has_found_and_leaves_no_files(monkeypatch, capsys, tmp_path) -> None:
    out, scratch = tmp_path / "found.json", []

    def interrupted(context: Context) -> dict[str, Any]:
        scratch.append(context.scratch)
        raise KeyboardInterrupt

    found = {"first": Section(lambda context: {"x": 1}, 0), "second": Section(interrupted, 0)}
    monkeypatch.setattr(sections, "SECTIONS", found)
    assert gpu.main([*QUICK, "--out", str(out)]) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err.splitlines()[-1]) == ("", "python -m benchmarks.gpu: interrupted")
    assert json.loads(out.read_text())["first"] == {"x": 1}
    assert not scratch[0].exists()


def test_no_section_begins_that_the_deadline_leaves_too_little_for(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(sections, "SECTIONS", {"long": Section(fails, 60), "short": Section(lambda context: {}, 5)})
    check = Check(Context("cpu", True, tmp_path), sections.time.perf_counter(), 30.5, None, lambda line: None)
    found = check.run(["long", "short"])
    assert (found["long"], found["short"]) == ({"skipped": "30 s left"}, {})


def test_sections_run_in_their_order_and_without_those_to_skip() -> None:
    assert sections.chosen([], []) == list(SECTIONS)
    assert sections.chosen(["waiting", "models", "curves"], ["curves"]) == ["models", "waiting"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sections", "environment,model"], "there is no section 'model': did you mean 'models'?"),
        (["--skip", "speed_ful"], "there is no section 'speed_ful': did you mean 'speed_full'?"),
        (["--sections", "models", "--skip", "models"], "no section is left: --sections models without --skip models"),
        (["--deadline", "0"], "'0' is not a positive number of seconds"),
        (["--quik"], "unknown option '--quik': did you mean '--quick'?"),
        (["--out", "no/such/folder/found.json"], "no/such/folder"),
    ],
)
def test_bad_input_is_one_line_and_nothing_runs(capsys, monkeypatch, tmp_path, arguments, said) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sections, "attempt", lambda *given: pytest.fail("a section ran"))
    try:
        code = gpu.main([*QUICK, *arguments])
    except SystemExit as ended:
        code = ended.code
    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err.count("\n") == 1 and said in printed.err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_machine_without_cuda_is_told_how_to_try_the_check(capsys) -> None:
    assert gpu.main([]) == 2
    assert "--device is cuda but there is none here: --device cpu --quick" in capsys.readouterr().err


def test_every_kind_of_trick_has_its_place() -> None:
    parts = [cls.example() for kind in KINDS for cls in components(kind)]
    assert len(parts) > 80
    assert all(placed(part, steps=3).budget.steps == 3 for part in parts)
    with pytest.raises(ValueError, match="a data has no place"):
        placed(components("data")[0](), 3)


def test_an_error_is_its_first_line_and_our_last_line_of_code() -> None:
    found = attempt(torch.nn.Linear(2, 3), torch.zeros(5))
    assert found["failed"].startswith("RuntimeError: ")
    assert found["at"].startswith("figures.py:")  # what called torch


ABSENT = tuple(name for name in NOT_NEEDED if name != "filelock")  # torch needs that one
WITHOUT = f"""
{without(ABSENT)}
from benchmarks.gpu.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_every_section_runs_without_a_gpu_and_without_what_a_gpus_image_lacks(tmp_path) -> None:
    out = tmp_path / "found.json"
    command = [sys.executable, "-c", WITHOUT, *QUICK, "--deadline", "7200", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=7200)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found == json.loads(done.stdout)
    assert list(found["seconds"]) == list(SECTIONS)
    assert set(ABSENT) <= set(found["environment"]["not_installed"])
    lacking = {name: row["failed"] for name, row in found["each_component"].pop("not_well").items()}
    assert lacking == {"Artifact Artifact": "ModuleNotFoundError: No module named 'safetensors'"}  # it writes files
    assert not list(failures(found))
    assert found["no_memory"]["then"] == "completed"
    for row in found["resuming"].values():
        assert (row["again"]["relative"], row["resumed"]["relative"], row["resumed"]["val_loss_off"]) == (0, 0, 0)
    rounds = found["packing"]["time slices"]
    assert [len(rounds[f"{n} processes"]["steps_a_second_each"]) for n in (1, 2)] == [1, 2]
    assert found["reused_actor"]["trials"][-1]["status"] == "completed"
    assert not list(Path(tmp_path).glob("*.partial"))
