"""The Dockerfile as far as it can be read, and what turns it into steps. deploy/rehearse_image.sh runs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()


@pytest.fixture
def steps(script):
    return script("dockerfile_steps")


def test_the_image_is_pinned_and_does_not_run_as_root(steps) -> None:
    said = list(steps.instructions(TEXT))
    assert re.fullmatch(r"debian:\d+\.\d+-slim", dict(said)["FROM"])
    assert [rest for name, rest in said if name == "USER"] == ["1000:1000"]
    after = [name for name, _ in said[said.index(("USER", "1000:1000")) :]]
    assert "RUN" not in after and "COPY" not in after
    installs = [rest for name, rest in said if name == "RUN" and "pip install" in rest]
    assert all("--constraint constraints.txt" in rest or "--no-deps" in rest for rest in installs)


def test_what_reaches_the_image_is_the_project_and_nothing_of_a_person(steps, tmp_path) -> None:
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    for name in (
        "tuner/run.py", "tuner/__pycache__/run.pyc", "results/store/schema.py", "results/recorded/a/campaign.json",
        "results/runs/night/campaign.json", "trainable/models/gpt.py", "pyproject.toml", "constraints.txt", "README.md",
        ".venv/bin/python", ".git/config", ".env", "tuner/.secret", "data/x.bin", "docs/cluster.md", "deploy/slurm.sh",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(steps.context(tmp_path)) == [
        "README.md", "constraints.txt", "pyproject.toml", "results/recorded/a/campaign.json", "results/store/schema.py",
        "trainable/models/gpt.py", "tuner/run.py",
    ]  # fmt: skip


def test_every_package_of_the_project_reaches_the_image(steps) -> None:
    inside = set(steps.context(ROOT))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages and all(f"{name}/__init__.py" in inside for name in packages)


def test_steps_are_said_in_shell_in_their_order(steps) -> None:
    text = (
        "FROM x\nARG A=one\n# a comment\nENV B=$A\nWORKDIR /w\nCOPY a b ./\nRUN echo \\\n  $A && \\\n  true\nUSER 1:1"
    )
    lines = [line for line in steps.script(text, {"A": "two words"}) if not line.startswith("echo '")]
    assert lines[2:] == [
        "export A='two words'",
        "export B=$A",
        "mkdir -p /w && cd /w",
        "cp -R /context/a ./",
        "cp -R /context/b ./",
        "/bin/sh -e -c 'echo    $A &&    true'",
    ]


@pytest.mark.parametrize(
    ("text", "given", "said"), [("FROM x\nADD a b", [], "ADD is not"), ("FROM x\nARG A", ["B=1"], "B is not an ARG")]
)
def test_what_a_rehearsal_does_not_know_it_refuses_in_one_line(steps, capsys, tmp_path, text, given, said) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    assert steps.main([str(tmp_path / "Dockerfile"), *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
