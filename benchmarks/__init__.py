"""What we claim, measured as ratios against a named yardstick in the same run: `make bench`."""
