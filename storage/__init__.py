"""Storage of a campaign's files, for reading and writing: a folder of this machine or one of an object store.

Knows nobody. ``location.py`` names places, ``files.py`` reads them, ``inside.py`` alone changes what lies in them, and
``remote.py`` is the other half of both.
"""
