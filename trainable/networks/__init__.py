"""Modules that models build, by the names of the files in ``models/``: all that subclasses torch's ``nn.Module``.

A knob and its rules stand in ``models/``, whose files import no torch: a config can be read, checked and listed without
it. A model's ``build`` imports its network from here.
"""
