"""Place of compiled code on this machine: kept, and shared by all workers and campaigns of a user."""

from __future__ import annotations

import os
import tempfile

from trainable.data.preparation import cache_folder

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"  # torch's own; Triton's kernels lie below it too
TORCHS_OWN = "torchinductor_"  # begins its name in the folder of temporary files; torch sets the variable to it itself


def share() -> None:
    """Let torch keep compiled graphs in the product's cache, unless the user has said where (``VARIABLE``).

    torch's own place is a temporary folder, which a restart empties and each container has for itself. Its entries are
    named by the graph, the device and the versions of what made them, so that a wrong one is never found. Where the
    folder cannot be made, torch's place stays.
    """
    said = os.environ.get(VARIABLE, "")
    if said and not said.startswith(os.path.join(tempfile.gettempdir(), TORCHS_OWN)):
        return
    folder = cache_folder() / "inductor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    os.environ[VARIABLE] = str(folder)
