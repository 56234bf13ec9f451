"""From a run, or many, to scores: baselines, comparison, reproduction of published tables."""
