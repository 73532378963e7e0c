"""Worlds, journal, clock and faults: what is under `/_mock`."""
