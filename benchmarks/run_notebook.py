"""A notebook executed anew, from its first cell to its last: ``python -m benchmarks.run_notebook examples/NAME.ipynb``.

Writes it back with its outputs, and without the times of its cells, which would differ each time. The notebooks in
``examples/`` are kept with their outputs, since that is what people see where the file is shown, on GitHub too;
tests/test_notebooks.py holds that the texts in them are current. Needs nbclient and ipykernel (the extra ``test``).
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.run_notebook")

import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat

from terminal.command_line import OneLineParser
from terminal.console import Console

SECONDS = 560  # for one cell
WARNINGS_ARE_ERRORS = """
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("default", module="ipykernel")  # the kernel's own, as it shuts down: it would not end
"""


def executed(path: Path) -> Any:
    """The notebook with what its cells give now, run in its folder. A warning is an error there.

    An error of a cell is a ``nbclient.exceptions.CellExecutionError``, what is no notebook a ValueError.
    """
    text = path.read_bytes()
    try:
        found = nbformat.reads(text.decode(), as_version=4)
    except Exception as error:  # nbformat lets many kinds through: of JSON, of older versions, of what it looks up
        raise ValueError(
            f"{str(path)!r} is no notebook: {(str(error) or type(error).__name__).splitlines()[0]}"
        ) from None
    found.cells.insert(0, nbformat.v4.new_code_cell(WARNINGS_ARE_ERRORS))
    client = nbclient.NotebookClient(
        found,
        timeout=SECONDS,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.absolute().parent)}},
    )
    client.execute()
    del found.cells[0]
    for cell in found.cells:
        if cell.cell_type == "code":  # as if the first cell had not been there
            cell.execution_count -= 1
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count -= 1
    found.metadata["language_info"] = {"name": "python"}  # not which Python it was
    return found


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebook named on the command line. Exit code 2 and one line where that cannot be."""
    parser = OneLineParser(prog="python -m benchmarks.run_notebook", description="Execute a notebook and keep it.")
    parser.add_argument("notebook", type=Path, help="the file, which is written anew")
    options = parser.parse_args(arguments)
    try:
        found = executed(options.notebook)
        nbformat.write(found, options.notebook)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    Console(goes_on=True).print(f"{options.notebook}: {sum(c.cell_type == 'code' for c in found.cells)} cells executed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
