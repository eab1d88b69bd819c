"""``train_gpt.py`` of a submission: one script that holds the config and, compressed, all the code that it runs.

The competition counts the bytes of the code and wants them in that script, which must run in its own folder. So the
three packages that train (without this one, Ray and Optuna) are put into it as they are.
"""

from __future__ import annotations

import ast
import base64
import io
import sys
import zipfile
from importlib.metadata import packages_distributions, version
from pathlib import Path

import storage
import terminal
import trainable

PACKAGES = (trainable, storage, terminal)
NOT_NEEDED = {"ray"}  # of the one file that Ray sees
_AT = (1980, 1, 1, 0, 0, 0)  # one time for all files: the same code gives the same script
_SCRIPT = '''"""Trains, exports and scores: python train_gpt.py > train.log (needs what requirements.txt names).

DATA_PATH (a folder of shards), SEED and ARTIFACT in the environment replace the data, the seed and the file that is
written. CONFIG is the whole config; CODE is its code, compressed: the packages {packages}.
"""

import base64, io, sys, tempfile, zipfile
from pathlib import Path

CONFIG = {config!r}
CODE = "{code}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(base64.b85decode(CODE))).extractall(folder)
        sys.path.insert(0, folder)
        from trainable.alone import run_script

        return run_script(CONFIG, Path(__file__).stat().st_size, lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
'''


def training_script(config: str) -> str:
    """The script for the JSON of a config."""
    names = ", ".join(package.__name__ for package in PACKAGES)
    return _SCRIPT.format(packages=names, config=config, code=base64.b85encode(_code()).decode())


def requirements() -> str:
    """The packages that the script's code imports, a line each, in the versions that are installed here."""
    ours = {package.__name__ for package in PACKAGES}
    found: set[str] = set()
    for text in _files().values():
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.partition(".")[0] for name in names}
    known = packages_distributions()
    wanted = found - ours - NOT_NEEDED - set(sys.stdlib_module_names)
    distributions = sorted({known[name][0] for name in wanted if name in known})
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in distributions)


def _files() -> dict[str, str]:
    """Path in the archive -> text, of all modules of the packages."""
    found = {}
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            found[f"{root.name}/{path.relative_to(root).as_posix()}"] = path.read_text(encoding="utf-8")
    return found


def _code() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in _files().items():
            archive.writestr(zipfile.ZipInfo(name, _AT), text, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()
