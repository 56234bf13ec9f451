"""Figures of one run and of many: each function takes arrays or tidy tables, returns a Figure."""
