"""deploy/check_gpu.py: which drivers it refuses, and which nodes it does not look at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "check_gpu.py"


@pytest.mark.parametrize(
    ("cuda", "driver", "said"),
    [
        ("13.0", "580.65.06", None),
        ("13.0", "595.91.07", None),
        ("13.0", "1000.1", None),
        ("12.8", "525.60.13", None),
        ("13.0", "580.65.05", "580.65.05 is too old for torch 2.13.0: it needs 580.65.06 or later (CUDA 13.0)"),
        ("13.0", "570.195.03", "NVIDIA driver 570.195.03 is too old"),
        ("12.8", "470.82.01", "525.60.13 or later (CUDA 12.8)"),
        ("13.0", None, "no NVIDIA driver answers"),
        (None, "580.65.06", "built without CUDA"),
    ],
)  # fmt: skip
def test_a_driver_that_is_too_old_for_torch_is_named_with_what_it_needs(script, cuda, driver, said) -> None:
    found = script("check_gpu").mismatch("2.13.0", cuda, driver)
    assert found is None if said is None else said in found


def device(folder: Path, vendor: str, kind: str) -> None:
    (folder / kind).mkdir(parents=True)
    (folder / kind / "vendor").write_text(f"{vendor}\n")
    (folder / kind / "class").write_text(f"{kind}\n")


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_only_nvidias_display_controllers_are_gpus(script, tmp_path) -> None:
    check = script("check_gpu")
    device(tmp_path, "0x10de", "0x040300")  # NVIDIA's audio
    assert not check.has_gpu(tmp_path)
    device(tmp_path, "0x10de", "0x030200")
    assert check.has_gpu(tmp_path)


@pytest.mark.parametrize(
    ("says", "version"),
    [("echo 580.105.08", "580.105.08"), ("echo NVIDIA-SMI has failed; exit 9", None), ("echo no devices", None)],
)
def test_the_drivers_version_is_what_nvidia_smi_says(script, stand_in, tmp_path, monkeypatch, says, version) -> None:
    stand_in(tmp_path, **{"nvidia-smi": says})
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert script("check_gpu").driver() == version


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_node_without_a_gpu_has_nothing_to_check() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
