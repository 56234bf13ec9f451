"""Datasets of RF lines: files, generation, and what training reads from them."""
