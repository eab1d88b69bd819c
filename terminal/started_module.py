"""A module that is no program, started by ``python -m``: it would do nothing, without a word and with exit code 0."""

from __future__ import annotations

import sys
from pathlib import Path

from terminal.exit_codes import BAD_INPUT

COMMANDS = (  # what a person may mean
    "tuner.run", "tuner.status", "tuner.export", "tuner.sample", "tuner.audit", "tuner.contracts", "tuner.trackers",
    "results.report", "results.compare", "results.compact", "results.fidelity", "trainable.data",
    "search_spaces.coverage", "search_spaces.reference",
)  # fmt: skip
_ROOT = Path(__file__).parents[1]


def refuse_library() -> None:
    """End this process with a line where it was started as a module of this project that is no program.

    To be called by a package as it is imported: Python names the program ``-m`` until it has found the module.
    """
    if sys.argv[:1] != ["-m"] or "-m" not in sys.orig_argv[:-1]:
        return
    name = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    file = _ROOT.joinpath(*name.split(".")).with_suffix(".py")
    if not file.is_file() or '\nif __name__ == "__main__":\n' in file.read_text(encoding="utf-8"):
        return
    from terminal.complaint import complain

    meant = [command for command in COMMANDS if command.rpartition(".")[2] == name.rpartition(".")[2]]
    hint = f"did you mean python -m {meant[0]}?" if meant else f"commands: {', '.join(COMMANDS)}"
    complain(f"python -m {name}", f"it is a module and no command; {hint}")
    sys.exit(BAD_INPUT)
