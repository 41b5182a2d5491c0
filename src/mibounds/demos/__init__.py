"""Demonstrations: the logic behind `mibounds demo`."""
