"""python -m training.describe: the settings, progress, scores and files of a run."""

from data_reader.cli import command_line, run_command
from data_reader.run_folder import RunFolder

MAIN_PACKAGES = ("keras", "tensorflow", "numpy", "h5py")
# Shown in lines of their own, so not among the other settings.
NAMED = ("name", "model", "notes", "data", "extractor", "seed", "vocabulary_size", "feature_size")


def main():
    parser = command_line(__doc__)
    parser.add_argument("folder", help="a run folder: results/<name>_<start time>")
    print(describe(RunFolder.open_started(parser.parse_args().folder)))


def describe(run):
    """A run as text; what its folder does not hold (yet) is left out.

    Raises:
        InputError: a file of the run is broken.
    """
    settings = run.all_settings()
    others = {name: value for name, value in settings.items() if name not in NAMED}
    scores = {generated: _listed(scores) for generated, scores in run.all_scores().items()}
    paragraphs = {
        "run": _progress(run, settings) | _data(run, settings) | _origin(run, settings),
        "settings": others,
        "scores": scores,
        "files": {path.name: _size(path) for path in sorted(run.path.iterdir())},
    }
    return "\n\n".join(_paragraph(*paragraph) for paragraph in paragraphs.items() if paragraph[1])


def _progress(run, settings):
    finished, best = run.finished(), run.best_epoch()
    state = f"{len(run.losses()['epoch'])} of {settings.get('epochs')} epochs"
    if finished:
        state += f" in {finished['seconds']:.0f} s; finished: {finished['reason']}"
    else:
        state += "; not finished"
    return {
        "name": run.name,
        "experiment": settings["name"],
        "model": settings["model"],
        "notes": settings.get("notes"),
        "trained": state,
        "best epoch": best.get("epoch"),
        "validation loss": best and f"{best['val_loss']:.4f} per word (nats)",
        "perplexity": best and f"{best['perplexity']:.4g}",
    }


def _data(run, settings):
    features = run.features() if run.features_file.is_file() else {}
    return {
        "data folder": settings["data"],
        "extractor": settings.get("extractor"),
        "features": ", ".join(f"{name} {value}" for name, value in features.items()),
        "vocabulary": _vocabulary(run),
        "vocabulary checksum": run.environment().get("vocabulary_checksum"),
    }


def _vocabulary(run):
    return f"{len(run.vocabulary()):,} words" if run.vocabulary_file.is_file() else None


def _origin(run, settings):
    environment = run.environment()
    packages = environment.get("packages", {})
    weights = environment.get("trainable_weights")
    return {
        "trainable weights": weights and f"{weights:,}",
        "seed": settings.get("seed"),
        "git commit": environment.get("git_commit"),
        "python": environment.get("python"),
        "packages": ", ".join(
            f"{name} {packages[name]}" for name in MAIN_PACKAGES if name in packages
        ),
        "machine": environment.get("machine"),
    }


def _paragraph(title, named):
    """A title and aligned `name  value` lines, without those that have no value."""
    named = {name: value for name, value in named.items() if value not in (None, "", {})}
    width = max(map(len, named))
    return "\n".join(
        [title, *(f"  {name:<{width}}  {_one_line(value)}" for name, value in named.items())]
    )


def _listed(scores):
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


def _size(path):
    """The size of a file, or of all files in a folder."""
    files = [file for file in (path, *path.rglob("*")) if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1000
    return f"{size:,.1f} kB" if size < 1000 else f"{size / 1000:,.1f} MB"


def _one_line(value):
    return " ".join(str(value).split())


if __name__ == "__main__":
    run_command(main)
