"""Mutates the files of a run folder and reads them as the project's commands do.

python tests/fuzz_runs.py [--mutations 2000] [--seed 1] [--only NUMBER...]

A mutated file is opened, or refused by an InputError; anything else (a traceback, a minute, more
memory than a few GB) is a failure, and the exit status is 1.  A mutation is determined by seed and
number: --only shows their tracebacks.
"""

import argparse
import collections
import contextlib
import copy
import csv
import io
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from data_reader.cli import import_tensorflow  # noqa: E402

SECONDS = 60  # of one mutation
MEMORY = 3 * 2**30  # beyond what is taken before the first one
ODD_VALUES = (
    *(None, True, False, 0, -1, 1, 7, 10**9, 10**18, 10**400, 0.5, -0.5, 1e-300, 1e300, 1e308),
    *(
        math.nan,
        math.inf,
        -math.inf,
        "",
        "x",
        "x:y",
        "../..",
        "/",
        "\0",
        "\ud800",
        "ä\n",
        "9" * 999,
    ),
    *([], [None], [[]], {}, {"x": 1}, {"": {}}),
)
ODD_CELLS = ("", "x", "-1", "0", "nan", "inf", "1e999", "9" * 400, "\0", '"', "1,2", "ä", "True")


def mutated_bytes(rng, contents):
    """Contents with a few bytes changed, inserted, removed, repeated or cut off."""
    data = bytearray(contents)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(data) + 1)
        length = rng.choice((1, 1, 4, 100))
        change = rng.randrange(5)
        if change == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            data[place : place + length] = rng.randbytes(length)
        elif change == 2:
            data[place:place] = data[place : place + length]
        elif change == 3:
            del data[place : place + length]
        else:
            data[place : place + length] = bytes([rng.choice((0, 255))]) * length
    if rng.random() < 0.1:
        del data[rng.randrange(len(data) + 1) :]
    return bytes(data)


def places_in(value, path=()):
    """Yield the path of each value inside a JSON value, and its own, ()."""
    yield path
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in inner:
            yield from places_in(part, (*path, key))


def mutated_value(rng, value):
    """A JSON value of which one or two parts are replaced, removed, renamed or moved."""
    whole = {"root": copy.deepcopy(value)}
    for _ in range(rng.choice((1, 1, 2))):
        *above, key = rng.choice(list(places_in(whole))[1:])
        parent = whole
        for step in above:
            parent = parent[step]
        change = rng.randrange(6)
        if change == 0 and above:
            del parent[key]
        elif change == 1 and above and isinstance(parent, dict):
            parent[rng.choice(("", "x", "all", "\ud800"))] = parent.pop(key)
        elif change == 2:
            parent[key] = copy.deepcopy(rng.choice((parent, value)))
        elif above or rng.random() < 0.2:
            parent[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    return whole["root"]


def mutated_json(rng, contents):
    return json.dumps(mutated_value(rng, json.loads(contents))).encode("utf-8", "surrogatepass")


def mutated_lines(rng, contents):
    """Lines of which some are removed, repeated, emptied or exchanged."""
    lines = contents.decode().split("\n")
    place = rng.randrange(len(lines))
    change = rng.randrange(4)
    if change == 0:
        del lines[place]
    elif change == 1:
        lines[place:place] = [lines[place]] * rng.choice((1, 3))
    elif change == 2:
        lines[place] = rng.choice(ODD_CELLS)
    else:
        rng.shuffle(lines)
    return "\n".join(lines).encode()


def mutated_table(rng, contents):
    """A CSV file with an odd cell, or a cell too few or too many."""
    rows = list(csv.reader(io.StringIO(contents.decode())))
    row = rng.choice(rows)
    change = rng.randrange(6)
    if change == 0:
        row.pop()
    elif change == 1:
        row.append(rng.choice(ODD_CELLS))
    else:
        row[rng.randrange(len(row))] = rng.choice(ODD_CELLS)
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def zipped(parts, how=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, contents in parts:
            archive.writestr(name, contents)
    return out.getvalue()


def unzipped(contents):
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def mutated_weights(rng, contents):
    """An HDF5 file with an array of another shape or type, without bytes, or with links."""
    out = io.BytesIO(contents)
    with h5py.File(out, "r+") as file:
        names = []
        file.visititems(lambda name, held: names.append(name))
        name = rng.choice(names)
        change = rng.randrange(9)
        value = file[name][()] if isinstance(file[name], h5py.Dataset) else np.ones(3)
        if change < 8:
            del file[name]
        if change == 0:
            file[name] = value.reshape(-1)
        elif change == 1:
            file[name] = value.astype(rng.choice(("f2", "f8", "i8", "S3", "?")))
        elif change == 2:
            file.create_dataset(name, (10**9, 10**3), np.float32)
        elif change == 3:
            file.create_dataset(name, value.shape, np.float32, chunks=True, compression="gzip")
        elif change == 4:
            file[name] = rng.choice((h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/")))
        elif change == 5:
            file[name] = file["/"]
        elif change == 6:
            external = [("/etc/passwd", 0, 4 * value.size)]
            file.create_dataset(name, value.shape, np.float32, external=external)
        elif change == 7:
            file[name] = rng.choice((np.nan, "text", np.dtype("f4")))
        else:
            file[f"{name}_more"] = rng.choice((1, [1.0, 2.0]))
    return out.getvalue()


def mutated_zip(rng, contents):
    """A zip of which one part is mutated, removed, repeated, added, packed or named otherwise."""
    parts = unzipped(contents)
    place = rng.randrange(len(parts))
    name, part = parts[place]
    change = rng.randrange(10)
    how = zipfile.ZIP_DEFLATED if change == 0 else zipfile.ZIP_STORED
    if change == 1:
        del parts[place]
    elif change == 2:
        parts.append((name, part))
    elif change == 3:
        parts[place] = (rng.choice(("../x", "/x", "x", "a/b/c")), part)
    elif change == 4:
        parts.append(("bomb", bytes(10**6)))
    elif change > 4:
        parts[place] = (name, mutated_part(rng, name, part))
    return zipped(parts, how)


def mutated_part(rng, name, part):
    """A file mutated according to its name."""
    kinds = {
        ".json": (mutated_json, mutated_json, mutated_bytes),
        ".csv": (mutated_table, mutated_lines, mutated_bytes),
        ".txt": (mutated_lines, mutated_bytes),
        ".h5": (mutated_weights, mutated_weights, mutated_bytes),
        ".keras": (mutated_zip, mutated_zip, mutated_zip, mutated_bytes),
        ".zip": (mutated_zip, mutated_zip, mutated_bytes),
        ".npz": (mutated_arrays, mutated_arrays, mutated_zip, mutated_bytes),
    }
    return rng.choice(kinds.get(Path(name).suffix, (mutated_bytes,)))(rng, part)


def mutated_arrays(rng, contents):
    """A checkpoint with another progress, or an array of another shape, type or name."""
    with np.load(io.BytesIO(contents)) as archive:
        arrays = dict(archive)
    name = rng.choice(["progress", *arrays])
    if name == "progress":
        progress = mutated_value(rng, json.loads(str(arrays[name])))
        arrays[name] = json.dumps(progress)
    else:
        value = arrays.pop(name)
        changes = (value[..., None], value.astype("S8"), value.astype("f8"), np.ones(3), None)
        if (changed := rng.choice(changes)) is not None:
            arrays[rng.choice((name, name, "x"))] = changed
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


class Runs:
    """Two runs of an untrained model with all their files, and what reads which of them."""

    def __init__(self, folder):
        from tiny_model import VOCABULARY, write_model

        self.folder = folder
        self.runs = [write_model(folder / name) for name in ("one_20260101-000000", "two")]
        for run in self.runs:
            self._write_others(run, VOCABULARY)
        self.run, self.other = self.runs
        self._write_checkpoint()
        self.share(folder / "shared.zip")
        self.add_result()
        self.readers = self._readers()

    def _write_others(self, run, vocabulary):
        from data_reader.run_files import LOSS_COLUMNS

        def write(path, contents):
            path.write_text(json.dumps(contents))

        settings = run.settings() | {"model_settings": {"num_layers": 1}, "data": str(self.folder)}
        numbers = {"epochs": 2, "learning_rate": 0.01, "gradient_clip_value": 5.0, "seed": 1}
        write(run.experiment_file, settings | numbers | {"notes": "a note"})
        packages = {"keras": "3.15.1", "numpy": "2.4.6"}
        environment = {"git_commit": None, "packages": packages, "machine": "x86_64, 2 cores"}
        checksum = {"vocabulary_checksum": vocabulary.checksum, "trainable_weights": 99}
        write(run.environment_file, environment | checksum)
        finished = {"epochs": 2, "best_epoch": 2, "best_val_loss": 2.0, "seconds": 3.0}
        write(run.finished_file, finished | {"reason": "all epochs"})
        rows = [LOSS_COLUMNS, (1, 3.0, 2.5, 0.01, 1.5, 100, ""), (2, 2.5, 2.0, 0.01, 1.5, 100, 9.5)]
        run.loss_log.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        score = {"value": 0.25, "interval": [0.2, 0.3], "is_share": True, "higher_is_better": True}
        protocols = {"vist-album": {"texts": 2, "scores": {"METEOR": score}, "lines": []}}
        counts = {"counts": {"stories": 2}, "missing": {"CIDEr": "why"}, "versions": packages}
        scores = {"vist-album METEOR": 0.25, "protocols": protocols, "decoding": {}, **counts}
        write(run.scores("greedy", "test"), scores)
        recall = {"own": 50.0, "other": 10.0, "difference": 40.0, "facts": 9, "intervals": {}}
        write(run.fact_recall("greedy", "test"), {"event": recall, "all": recall})
        constraints = {"no_unknown": False, "no_repeated_ngram": 0, "no_story_ngram": 0}
        lengths = {"no_repeated_sentence": False, "min_words": 1, "max_words": 20}
        parts = {"parameters": {"width": 3, "length_penalty": 1.0}, "precision": "float32"}
        decoding = {"method": "beam_search", "constraints": constraints | lengths, **parts}
        write(run.decoding("greedy", "test"), decoding)
        run.hypotheses("greedy", "test").write_text("the dog\nran\nthe\ndog ran\n")
        run.story_hypotheses("greedy", "test").write_text("the dog ran\nthe dog ran\n")

    def _write_checkpoint(self):
        import keras

        from training.checkpoint import Checkpoints, Progress

        self.model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        self.model.compile(keras.optimizers.Adam(0.1), "mse")
        self.model.optimizer.build(self.model.trainable_variables)
        row = {"epoch": 1, "loss": 3.0, "val_loss": 2.5, "learning_rate": 0.01, "seconds": 1.5}
        row |= {"words_per_second": 100, "bleu": None}
        progress = Progress(1, 3, 2.5, 9, 1.5, rows=[row], samples=["a story"])
        self.checkpoints = Checkpoints(self.run.checkpoint)
        self.checkpoints.save(self.model, progress)

    def share(self, out):
        from models.share import Origin, share

        out.unlink(missing_ok=True)
        share(self.run, out, Origin("VIST", "mit", "en"))

    def add_result(self):
        from training.report import add_result

        add_result(self.run, self.folder, 15)

    def _readers(self):
        """`{pattern of files: functions that read them}`."""
        from data_reader.shared_model import open_model
        from generation.decoding_options import read_decoding
        from generation.generated_stories import read_systems, system_scores
        from models.loading import load_model
        from training.compare import compare, differing_settings, results_of
        from training.describe import describe
        from training.loss_plot import plot_losses
        from training.report import refresh_scores
        from training.vist_scores import _scores_of

        run, other = self.run, self.other

        def open_shared():
            with open_model(self.folder / "shared.zip") as shared:
                describe(shared)
                load_model(shared)

        def all_texts():
            describe(run)
            differing_settings([other, run])
            results_of([other, run])
            self.add_result()
            run.layout()
            run.vocabulary()

        return {
            "*.json": [all_texts, lambda: self.share(self.folder / "out.zip")],
            "experiment.json": [lambda: load_model(run)],
            "vocabulary.json": [],
            "features.json": [],
            "loss.csv": [
                lambda: compare([other, run], self.folder / "compared"),
                lambda: plot_losses(run),
            ],
            "scores_*.json": [lambda: list(_scores_of(run)), lambda: system_scores([run], "test")],
            "decoding_*.json": [lambda: read_decoding(run.decoding("greedy", "test"))],
            "hypotheses_*.txt": [lambda: read_systems([run], "test")],
            "model.keras": [all_texts, lambda: load_model(run)],
            "*.npz": [lambda: self.checkpoints.restore_newest(self.model)],
            "shared.zip": [open_shared],
            "model_results.csv": [lambda: refresh_scores(self.folder), self.add_result],
        }

    def files(self):
        """The files to mutate, those with most structure more than once."""
        own = [path for path in sorted(self.run.path.rglob("*")) if self.readers_of(path)]
        zips = [path for path in own if path.suffix in (".keras", ".npz")]
        others = [self.folder / "shared.zip", self.folder / "model_results.csv"]
        return [*own, *zips, *zips, *others, self.run.scores("greedy", "test")]

    def readers_of(self, path):
        return [
            reader
            for pattern, readers in self.readers.items()
            if path.match(pattern)
            for reader in readers
        ]


class TookTooLongError(BaseException):
    """A mutation was not read in time."""


def time_is_up(*_):
    raise TookTooLongError(f"more than {SECONDS} s")


def outcome(readers):
    """Read a mutated file -> "opened", "refused", or the traceback of a failure."""
    from data_reader.errors import InputError

    result = "opened"
    for reader in readers:
        signal.alarm(SECONDS)
        try:
            with (
                contextlib.redirect_stderr(io.StringIO()),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                reader()
        except (InputError, FileNotFoundError):
            result = "refused"
        except KeyboardInterrupt:
            raise
        except BaseException:
            return traceback.format_exc()
        finally:
            signal.alarm(0)
    return result


def fuzz(folder, numbers, seed):
    """-> `{outcome: count}` and the failures, as (number, file, traceback)."""
    runs = Runs(folder)
    files = runs.files()
    whole = {path: path.read_bytes() for path in files}
    table = folder / "model_results.csv"
    counts, failures = collections.Counter(), []
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, time_is_up)
    for number in tqdm(numbers, desc="mutations", unit="file", disable=None):
        rng = random.Random(f"{seed} {number}")
        path = rng.choice(files)
        path.write_bytes(mutated_part(rng, path.name, whole[path]))
        found = outcome(runs.readers_of(path))
        if found in ("opened", "refused"):
            counts[found] += 1
        else:
            counts["failed"] += 1
            failures.append((number, path.name, found))
        path.write_bytes(whole[path])
        table.write_bytes(whole[table])
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="of mutations")
    arguments = parser.parse_args()
    import_tensorflow()
    warnings.simplefilter("ignore")  # of matplotlib, about letters that it can't draw
    folder = Path(tempfile.mkdtemp())
    numbers = arguments.only or range(arguments.mutations)
    try:
        counts, failures = fuzz(folder, numbers, arguments.seed)
    finally:
        shutil.rmtree(folder)
    for number, name, trace in failures[:20]:
        last = trace.strip().splitlines()[-1]
        print(trace if arguments.only else f"{number} {name}: {last:.200}")
    print(", ".join(f"{counts[name]} {name}" for name in ("opened", "refused", "failed")))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
