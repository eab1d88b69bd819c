"""Benchmarks: what is measured of this project, and how. Nobody imports them."""

from __future__ import annotations

from terminal.started_module import refuse_library

refuse_library()
