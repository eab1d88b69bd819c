"""The command line of ``python -m tuner.run``: its options, and all that it prints."""
