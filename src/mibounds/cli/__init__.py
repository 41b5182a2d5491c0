"""The command line: `mibounds estimate`, `mibounds demo`."""
