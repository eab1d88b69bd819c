"""deploy/setup_node.sh on nodes with and without an interpreter that will do; stand-ins play apt-get, uv and pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "setup_node.sh"
NEEDED = ("bash", "env", "dirname", "mktemp", "rm", "mkdir", "cat", "chmod", "cp", "touch", "sed", "grep", "tail", "id")
# An interpreter of one version, with or without what makes environments.
PYTHON = """
case "$1 $2" in
  "-c import"*) echo {version} ;;
  "-m venv") [ -n "{venv}" ] || {{ echo "ensurepip is not available"; exit 1; }}
    mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  "-m pip") echo "$*" >> "$CALLS"; {pip} ;;
  "--version "*) echo "Python {version}.1" ;;
  *check_gpu.py*) exit "${{GPU:-0}}" ;;
esac
"""


def python(version: str, venv: bool = True, pip: str = ":") -> str:
    return PYTHON.format(version=version, venv="yes" if venv else "", pip=pip)


@pytest.fixture
def node(tmp_path: Path, stand_in) -> Path:
    """A machine without any interpreter."""
    stand_in(tmp_path / "bin", sudo="exit 1")
    for name in NEEDED:
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def set_up(node: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (node / "calls").touch()
    given = {"PATH": str(node / "bin"), "HOME": str(node), "CALLS": str(node / "calls")} | variables
    return subprocess.run(["bash", str(SCRIPT)], env=given, capture_output=True, text=True)


def test_the_versions_that_are_looked_for_are_those_of_the_project() -> None:
    asked = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    named = re.search(r"SUPPORTED='([\d. ]+)'", SCRIPT.read_text())
    assert named is not None
    assert set(named.group(1).split()) == {f"3.{minor}" for minor in range(30) if asked.contains(f"3.{minor}.5")}


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3"])
def test_an_interpreter_of_the_range_that_is_here_is_taken(node, stand_in, name) -> None:
    stand_in(node / "bin", **{name: python("3.12" if name == "python3" else name.removeprefix("python"))})
    done = set_up(node, EXTRAS="cluster,aws", TUNER_CACHE="/mnt/cache")
    assert (done.returncode, done.stderr) == (0, "")
    installed = (node / "calls").read_text()
    assert f"--constraint {ROOT}/constraints.txt --editable {ROOT}[cluster,aws]" in installed


def test_a_second_run_changes_nothing_but_the_cache_that_is_asked_for(node, stand_in) -> None:
    stand_in(node / "bin", **{"python3": python("3.11")})
    assert set_up(node, TUNER_CACHE="/a").returncode == set_up(node, TUNER_CACHE="/b").returncode == 0
    profile = (node / ".bashrc").read_text()
    assert profile.count("export PATH=") == 1 and "TUNER_CACHE=/b" in profile and "RAY_AUTH_MODE=token" in profile


@pytest.mark.skipif(os.geteuid() != 0, reason="the stand-in for sudo refuses")
def test_the_distributions_interpreter_is_installed_where_its_environments_are_a_package_apart(node, stand_in) -> None:
    stand_in(node / "bin", python3=python("3.12", venv=False))  # Ubuntu 24.04
    bring = f'case "$*" in *python3.12-venv) cp {node}/whole {node}/bin/python3 ;; install*) exit 1 ;; esac'
    stand_in(node, whole=python("3.12"))
    stand_in(node / "bin", **{"apt-get": bring})
    assert set_up(node).returncode == 0
    assert "--editable" in (node / "calls").read_text()


def test_uv_brings_an_interpreter_where_the_distribution_has_none_of_the_range(node, stand_in) -> None:
    uv = f'mkdir -p "{node}/venv/bin"; cp {node}/brought "{node}/venv/bin/python"; echo "uv $*" >> "$CALLS"'
    unpack = f"mkdir -p $6/bin; cp {node}/uv $6/bin/uv"  # of: -m pip install --quiet --target FOLDER uv==VERSION
    stand_in(node, uv=uv, brought=python("3.12"))
    stand_in(node / "bin", python3=python("3.10", pip=unpack))  # Ubuntu 22.04
    done = set_up(node)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"uv venv .*--managed-python --python 3\.12 ", (node / "calls").read_text())


def test_uv_is_brought_for_machines_that_must_have_one_release(node, stand_in) -> None:
    uv = f'mkdir -p "{node}/venv/bin"; cp {node}/brought "{node}/venv/bin/python"; echo "uv $*" >> "$CALLS"'
    stand_in(node, uv=uv, brought=python("3.12"))
    stand_in(node / "bin", uv="exit 1", python3=python("3.11", pip=f"mkdir -p $6/bin; cp {node}/uv $6/bin/uv"))
    assert set_up(node, INTERPRETER="uv").returncode == 0
    assert "uv venv " in (node / "calls").read_text()


def test_a_node_that_gets_no_interpreter_is_refused_in_one_line(node, stand_in) -> None:
    stand_in(node / "bin", python3=python("3.10", pip="echo no network; exit 1"))
    done = set_up(node)
    assert done.returncode == 1
    assert done.stderr == (
        "setup_node.sh: no Python of 3.13 3.12 3.11 is here, nor could apt-get or uv bring one: no network\n"
    )


def test_a_node_whose_gpu_cannot_be_used_is_refused(node, stand_in) -> None:
    stand_in(node / "bin", python3=python("3.11"))
    assert set_up(node, GPU="1").returncode == 1
