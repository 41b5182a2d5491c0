"""The command line: `mibounds estimate`, `lagged`, `benchmark` and `demo`."""
