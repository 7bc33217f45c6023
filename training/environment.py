"""The environment of a run: packages, commit, machine."""

import os
import platform
import subprocess
from importlib.metadata import version

from data_reader.layout import REPOSITORY

PACKAGES = ("tensorflow", "keras", "numpy", "h5py", "opencv-python-headless")


def environment(seed, vocabulary, model, workers):
    """The contents of environment.json, a dictionary."""
    return {
        "git_commit": _git_commit(),
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "workers": workers.count,
        "seed": seed,
        "vocabulary_checksum": vocabulary.checksum,
        "trainable_weights": sum(w.shape.num_elements() for w in model.trainable_weights),
    }


def _git_commit():
    """The commit, followed by "+" if files differ from it; None outside of git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments):
    done = subprocess.run(
        ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
