"""Storage of a campaign's files, for reading and writing: a folder of this machine or one of an object store.

Knows nobody. ``location.py`` names places, ``files.py`` reads them, ``inside.py`` alone changes what lies in them, and
``remote.py`` is the other half of both.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def _refuse_start() -> None:
    """End this process with a line where it was started as a module from here: none is a program.

    The other packages do it by ``terminal/started_module.py``, which this one does not know.
    """
    if sys.argv[:1] != ["-m"] or "-m" not in sys.orig_argv[:-1]:
        return
    name = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    package, _, module = name.partition(".")
    if package != __name__ or not Path(__file__).with_name(f"{module}.py").is_file():
        return
    with suppress(OSError, ValueError):  # it is closed or full: there is nobody to tell
        if sys.stderr is not None:
            sys.stderr.write(f"python -m {name}: it is a module and no command\n")
    sys.exit(2)


_refuse_start()
