from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import trainable
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.evaluation.source_bytes import needed_files, source_bytes

ROOT = Path(trainable.__file__).parent


def names(config: TrainConfig) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in needed_files(config)}


def test_the_bytes_are_those_of_the_files_on_disk():
    files = needed_files(TrainConfig())
    assert len(set(files)) == len(files)
    assert source_bytes(TrainConfig()) == sum(path.stat().st_size for path in files)


def test_the_loop_and_what_it_imports_always_count_and_a_trick_only_where_it_is_used():
    plain = names(TrainConfig())
    always = {"train.py", "run.py", "data/dataset.py", "data/tokenizer.py", "models/gpt.py", "optimizers/muon.py"}
    assert always <= plain
    assert not {"hooks/weight_average.py", "losses/z_loss.py", "models/nanochat.py", "worker/ray_trainable.py"} & plain
    assert not any(name.endswith("__init__.py") for name in plain)
    tricks = {"hooks.WeightAverage.decay": 0.9, "losses.ZLoss.weight": 0.1, "model.layers.LayerDropout.prob": 0.1}
    more = names(with_values(TrainConfig(), tricks))
    assert more - plain >= {"hooks/weight_average.py", "losses/z_loss.py", "models/layers/layer_dropout.py"}
    assert plain < more


def test_a_run_loads_no_other_file_than_the_ones_counted(tmp_path):
    """With packages that list nothing: then only what is needed is imported."""
    program = """
import sys, types
from pathlib import Path
root = Path(sys.argv[1])
files = {line for line in sys.argv[2:]}
class Counted:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("trainable.") and path:
            file = Path(path[0]) / f"{name.rpartition('.')[2]}.py"
            assert not file.exists() or str(file.relative_to(root)) in files, f"{file} is loaded but not counted"
sys.meta_path.insert(0, Counted)
for folder in {str(Path(f).parent) for f in files} - {"."}:
    name = "trainable." + folder.replace("/", ".")
    if name != "trainable.schedules":
        sys.modules[name] = package = types.ModuleType(name)
        package.__path__ = [str(root / folder)]
import trainable
for name in ("hooks", "losses", "models", "optimizers"):
    setattr(trainable, name, sys.modules.get(f"trainable.{name}", types.ModuleType(name)))
"""
    counted = sorted(names(TrainConfig()))
    lists = [str(p.relative_to(ROOT)) for p in (ROOT / "schedules").glob("*.py")]  # their list is imported from
    done = "import trainable.train"
    subprocess.run([sys.executable, "-c", program + done, str(ROOT), *counted, *lists], check=True, cwd=ROOT.parent)
