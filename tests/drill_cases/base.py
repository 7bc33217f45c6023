"""The files that each case begins with, made once by the project's commands."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drill_cases.case import SECRET, TEXTS

REPOSITORY = Path(__file__).parents[2]
TRAIN = "python -m training --smoke-test --results results --set data=$PWD/data"
PREPARE = """
python -m dataset.sample --data data --albums 3 1 2
python -m dataset.models.alexnet --data data
python -m data_reader --data data
"""
RUNS = {
    "first": f"{TRAIN} epochs=1",
    "second": TRAIN.replace("training", "training.experiments.attention", 1) + " epochs=1",
}
STOPPED = "python $REPOSITORY/tests/tiny_training.py $PWD/data 20 --results results"
GENERATE = """
python -m generation --run results/first --strips 1
python -m generation.fact_recall --run results/first
python -m models.share results/first shared.zip
"""
LINE = '{"photos": ["photos/0.jpg", "photos/1.jpg"], "sentences": ["It rained.", "We left."]}\n'


def environment(folder, base):
    """The variables of a command that runs in a folder."""
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "PYTHONPATH": str(REPOSITORY),
        "REPOSITORY": str(REPOSITORY),
        "BASE": str(base),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "JAVA_TOOL_OPTIONS": "-Xmx1k",  # with so little memory no Java starts: METEOR takes seconds
    }
    kept = {"LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV"} & set(os.environ)
    return variables | {name: os.environ[name] for name in kept}


def make_base(base):
    """Make a sample set, features, stories files, two runs, one that was stopped, stories."""
    for name in ("home", "tmp"):
        (base / name).mkdir(parents=True)
    for line in PREPARE.split("\n")[1:-1]:
        run(line, base)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: train(name, base), [*RUNS, "stopped"]))
    with ThreadPoolExecutor(2) as pool:
        lines = [GENERATE.strip().replace("\n", " && "), second_stories()]
        list(pool.map(lambda line: run(line, base), lines))
    own = sorted((base / "data" / "vist_dataset" / "test_data").rglob("*.jpg"))[:3]
    (base / "photos").mkdir()
    for number, photo in enumerate(own):
        shutil.copy(photo, base / "photos" / f"{number}.jpg")
    (base / "stories.jsonl").write_text(LINE * 4)
    for made in (base / "tmp").iterdir():
        shutil.rmtree(made)


def second_stories():
    return "python -m generation --run results/second --strips 0"


def run(line, base):
    subprocess.run(
        ["bash", "-c", line],
        cwd=base,
        env=environment(base, base),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def train(name, base):
    """Train in a folder of its own, from which the run comes to its place."""
    results = base / f"results_{name}"
    line = RUNS.get(name, STOPPED)
    line = line.replace("--results results", f"--results {results}")
    if name == "stopped":
        stop_early(line, results, base)
    else:
        run(line, base)
    [made] = results.glob("*/")
    (base / "results").mkdir(exist_ok=True)
    made.rename(base / "results" / name)
    (base / "results" / name / "model_last.keras").unlink(missing_ok=True)
    shutil.rmtree(results)


def stop_early(line, results, base):
    """Interrupt a training, as Ctrl-C does, when it has a checkpoint."""
    with subprocess.Popen(
        ["bash", "-c", f"exec {line}"],
        cwd=base,
        env=environment(base, base),
        stdout=subprocess.DEVNULL,
    ) as process:
        while not list(results.glob("*/loss.csv")):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
    assert process.returncode == 75


def copy_base(base, outer):
    """Make a case's folder, `here`, with a secret beside it."""
    import h5py

    shutil.copytree(base, outer / "here")
    for path in (outer / "here" / "results").glob("*/experiment.json"):
        contents = json.loads(path.read_text())
        path.write_text(json.dumps(contents | {"data": str(outer / "here" / "data")}))
    (outer / "secret.txt").write_text(SECRET * 1000)
    with h5py.File(outer / "secret.hdf5", "w") as file:
        file.create_dataset("texts", (10, 5), TEXTS)[:] = SECRET
        file.create_dataset("numbers", data=[[1.0] * 5] * 10)
    return outer / "here"
