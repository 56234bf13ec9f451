"""Training: the learner, its trainer, checkpoints and logs, and the runs that it leaves."""
