"""Sweeps: experiments that are trained with the same seeds, scored alike and compared."""

from training.sweeps.sweep import Sweep, run_sweep

__all__ = ["Sweep", "run_sweep"]
