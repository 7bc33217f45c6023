"""Runs that are seeds of one experiment, and numbers over them."""

import re
from math import isfinite, nan
from statistics import fmean, stdev

_DO_NOT_COUNT = ("name", "notes", "seed")


def group_seeds(runs):
    """Group runs by experiment -> `{name of the experiment: its runs, by seed}`.

    Runs are seeds of one experiment if experiment.json differs in `seed` only; name and notes do
    not count.  A seed that is trained twice is no second sample: its second run begins, or joins,
    another group.  Groups are in order of their first runs.  The name is that of the first run,
    without what `--set seed=2` has added to it; where several groups have the same, it is that of
    the first run's folder, or else its path.

    Raises:
        InputError: a run's experiment.json is broken.
    """
    groups = []
    for run in dict.fromkeys(runs):
        settings, seed = _without(run.settings(), _DO_NOT_COUNT), seed_of(run)
        same = [by_seed for others, by_seed in groups if others == settings and seed not in by_seed]
        if same:
            same[0][seed] = run
        else:
            groups.append((settings, {seed: run}))
    names = _unique_names([next(iter(by_seed.values())) for _, by_seed in groups])
    return {
        name: [by_seed[seed] for seed in sorted(by_seed)]
        for name, (_, by_seed) in zip(names, groups, strict=True)
    }


def seed_of(run):
    """The seed of a run's experiment, 0 or more; -1 if it is not recorded."""
    return run.settings().get("seed", -1)


def mean_and_deviation(numbers):
    """The mean and the sample standard deviation (n - 1); nan of a single number or with a nan."""
    can_deviate = len(numbers) > 1 and all(map(isfinite, numbers))
    return fmean(numbers), stdev(numbers) if can_deviate else nan


def _without(settings, names):
    return {name: value for name, value in settings.items() if name not in names}


def _unique_names(runs):
    names = [_without_seed(run.settings()["name"], run) for run in runs]
    for longer in ([_without_seed(run.name, run) for run in runs], [str(run.path) for run in runs]):
        names = [
            name if names.count(name) == 1 else other
            for name, other in zip(names, longer, strict=True)
        ]
    return names


def _without_seed(name, run):
    """ "a_seed-2_epochs-3" -> "a_epochs-3"."""
    return re.sub(rf"_seed-{seed_of(run)}(?=_|$)", "", name)
