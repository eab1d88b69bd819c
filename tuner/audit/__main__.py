"""List the overrides of a recorded campaign that change the computation: ``python -m tuner.audit``."""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.audit")


from tuner.audit.report import main

if __name__ == "__main__":
    program.end(main())
