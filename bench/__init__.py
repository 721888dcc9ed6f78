"""What things cost, as ratios to bare baselines of the same run: `python -m bench`."""
