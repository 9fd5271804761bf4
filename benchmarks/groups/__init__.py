"""Breakout groups against known optima, bounds and peers: `python -m benchmarks.groups`."""
