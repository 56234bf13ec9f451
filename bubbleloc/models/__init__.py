"""Trained networks: runs and their cards, and what a network answers to RF lines."""
