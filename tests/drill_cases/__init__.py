"""The cases of `tests/drill.py`, by theme."""
