"""Every program here: a signal while its modules load, and a screen that closes, end it with a line or none."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terminal.started_module import COMMANDS

ROOT = Path(__file__).parents[1]
NO_PROGRAMS = {  # file -> why it does not begin as one
    "benchmarks/surrogate/peers_worker.py": "runs in another environment, without this project",
    "benchmarks/syne_tune_worker.py": "runs in another environment, without this project",
    "tuner/cluster/leftovers.py": "a process that the driver starts; it ignores signals by itself",
    "tuner/trackers/process.py": "of a driver, in a session of its own; it ends with its standard input",
    "tuner/plan/side_by_side.py": "a process that a plan starts; it ends with its standard input",
    "tuner/plan/partners.py": "a process that a plan starts in a session of its own; it ends with its standard input",
    "tuner/cluster/counted_shapes.py": "a process that a driver starts to count in; it ends with its answer",
}


def is_program(file: Path) -> bool:
    """Whether its own code, and not a text in it, runs as a program."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'" for node in body)


PROGRAMS = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("benchmarks", "results", "search_spaces", "storage", "trainable", "tuner")
    for path in (ROOT / package).rglob("*.py")
    if path.relative_to(ROOT).as_posix() not in NO_PROGRAMS and is_program(path)
)
REPLAY = ROOT / "results" / "recorded" / "ngpt"


def module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__main__").replace("/", ".")


def run(*command: str, **options) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "cwd": ROOT, "timeout": 300} | options
    return subprocess.run([sys.executable, "-m", *command], **options)


@pytest.mark.parametrize("file", PROGRAMS)
def test_a_program_begins_before_it_loads_anything(file: str) -> None:
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    statements = [ast.unparse(node) for node in body if not isinstance(node, ast.Expr)][:3]
    assert statements == [
        "from __future__ import annotations",
        "from terminal import program",
        f"if __name__ == '__main__':\n    program.begin('python -m {module(file)}')",
    ]


@pytest.fixture(scope="module")
def signalling(tmp_path_factory) -> Path:
    """Stand-ins for what takes time to load: the process gets the signal that the environment names."""
    folder = tmp_path_factory.mktemp("signalling")
    for name in ("torch", "pandas", "pyarrow", "numpy", "ray", "optuna", "rich"):
        (folder / f"{name}.py").write_text(
            "import os, time\nos.kill(os.getpid(), int(os.environ['SENT']))\ntime.sleep(60)"
        )
    return folder


@pytest.mark.parametrize("file", PROGRAMS)
def test_ctrl_c_while_modules_load_is_one_line(file: str, signalling: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{signalling}{os.pathsep}{ROOT}", "SENT": str(int(signal.SIGINT))}
    looks = ["--list"] if file == "tuner/run.py" else []  # without, it answers before it loads anything
    ended = run(module(file), *looks, env=environment)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == f"python -m {module(file)}: interrupted\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_other_signals_while_modules_load_are_too(number: signal.Signals, code: int, signalling: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{signalling}{os.pathsep}{ROOT}", "SENT": str(int(number))}
    ended = run("tuner.run", "--list", env=environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "python -m tuner.run: interrupted\n")


@pytest.mark.parametrize(
    "command", [("results.report", str(REPLAY)), ("tuner.status", str(REPLAY)), ("tuner.run", "--list")]
)
def test_a_pipe_that_nobody_reads_ends_a_look_without_a_word(command: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = run(*command, stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_look_that_cannot_be_written_says_so() -> None:
    with Path("/dev/full").open("w") as full:
        ended = run("results.report", str(REPLAY), stdout=full, stderr=subprocess.PIPE, capture_output=False)
    said = "python -m results.report: standard output cannot be written: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_mistake_has_its_exit_code_also_where_nobody_can_be_told() -> None:
    with Path("/dev/full").open("w") as full:
        ended = run("results.report", "no/such/folder", stderr=full, stdout=subprocess.PIPE, capture_output=False)
    assert (ended.returncode, ended.stdout) == (2, "")


def test_importing_a_package_loads_nothing_heavy_and_takes_no_signals() -> None:
    code = """
import signal, sys
before = [signal.getsignal(number) for number in (1, 2, 15)]
import results, search_spaces, storage, terminal, trainable, tuner
assert [signal.getsignal(number) for number in (1, 2, 15)] == before
print(*sorted({"torch", "pandas", "ray", "optuna", "pyarrow", "numpy"} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert (ended.returncode, ended.stdout) == (0, "\n"), ended.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("results.export", "did you mean python -m tuner.export?"),
        ("tuner.audit.report", "did you mean python -m results.report?"),
        ("search_spaces.space", "commands: tuner.run, "),
        ("trainable.train", "commands: tuner.run, "),
        ("trainable.evaluation.core_score", "commands: tuner.run, "),
        ("terminal.short", "commands: tuner.run, "),
        ("benchmarks.tables", "commands: tuner.run, "),
        ("storage.files", ""),
    ],
)
def test_a_module_that_is_no_program_says_so_in_place_of_doing_nothing(name: str, hint: str) -> None:
    done = run(name, "night", "--to", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"python -m {name}: it is a module and no command{'; ' if hint else ''}{hint}")
    assert done.stderr.count("\n") == 1


def test_storage_has_no_program_that_it_would_refuse() -> None:
    assert not [file for file in PROGRAMS if file.startswith("storage/")]


def test_every_command_that_is_named_is_a_program() -> None:
    assert set(COMMANDS) <= {module(file) for file in PROGRAMS}
    assert {module(file) for file in PROGRAMS if file.startswith(("tuner/", "results/"))} <= set(COMMANDS)
