"""Interrupt every command at moments from its start to its end, as a terminal's Ctrl-C does.

    python tests/interrupts.py [--moments 20] [COMMAND ...]

Each command starts so often on a small sample set with a trained run; the signal reaches it and its
children together.  It must say "interrupted" in one line, with status 130, or have ended well, and
leave no half-written file.  While Python itself starts, it shows a traceback of its own.  About
forty minutes on two cores; with --moments 4 about ten.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
STOPPED = 75  # by a training that saved its state
PYTHON_STARTS = "while Python itself started"  # where no code of the project can answer
FINE = {"ended well", "interrupted", PYTHON_STARTS}
COMMANDS = {
    "dataset.sample": ("--data", "{new}/sample", "--albums", "4", "2", "2"),
    "dataset": ("--data", "{data}", "--check-photos"),
    "dataset.import_stories": ("{stories}", "--data", "{new}/import"),
    "dataset.download": ("annotations", "--data", "{new}/download", "--yes", "--address", "{gone}"),
    "dataset.models.alexnet": ("--data", "{photos}"),
    "dataset.image_features": ("--data", "{photos}"),
    "data_reader": ("--data", "{data}"),
    "data_reader.image_mean_calculation": ("--data", "{photos}"),
    "training": ("--smoke-test", "--results", "{new}/results"),
    "training.experiments.group_size": ("--smoke-test", "--results", "{new}/results"),
    "training.vist": ("--data", "{new}/vist", "--address", "{gone}"),
    "training.describe": ("{run}",),
    "training.compare": ("{run}", "{run}"),
    "training.report": ("{results}",),
    "training.model_picture": ("--results", "{new}"),
    "generation": ("--run", "{run}", "--sample"),
    "generation.fact_recall": ("--run", "{run}"),
    "generation.attribution_picture": ("--run", "{run}"),
    "generation.scores": ("--run", "{run}"),
    "generation.compare": ("{run}", "--all"),
    "generation.story_scores": ("--run", "{run}"),
    "generation.story_page": ("{run}",),
    "generation.story_strip": ("{run}",),
    "models.share": ("{run}", "{new}/shared.zip"),
}
LEFT_OVER = ("*.partial*", ".sample_being_written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--signal", default="SIGINT", choices=("SIGINT", "SIGTERM", "SIGHUP"))
    parser.add_argument("--folder", type=Path, help="where to keep the prepared files")
    arguments = parser.parse_args()
    # A shell's background job ignores Ctrl-C, and so would the commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        places = prepare((arguments.folder or Path(folder)).absolute())
        rows = [drill(command, arguments, places) for command in arguments.commands]
    print(
        "\n".join(f"{command:<36} {seconds:5.1f} s  {text}" for command, seconds, text, _ in rows)
    )
    sys.exit(any(failed for *_, failed in rows))


def prepare(folder):
    """Make what the commands read, unless it is there -> `{name in COMMANDS: path}`."""
    places = {name: folder / name for name in ("data", "photos", "results", "new", "stories")}
    places["stories"] = folder / "stories.jsonl"
    if not places["stories"].exists():
        make_all(places)
    [run] = places["results"].glob("smoke_*")
    return places | {"run": run, "gone": "sis=http://127.0.0.1:9/sis.tar.gz"}


def make_all(places):
    data = places["data"]
    for command in (
        ("dataset.sample", "--data", data, "--albums", "4", "2", "2"),
        ("dataset.models.alexnet", "--data", data),
        ("data_reader", "--data", data),
        ("training", "--smoke-test", "--results", places["results"]),
    ):
        assert start(*command).wait() == 0
    [run] = places["results"].glob("smoke_*")
    assert start("generation", "--run", run).wait() == 0
    places["photos"].mkdir()
    (places["photos"] / "vist_dataset").symlink_to(data / "vist_dataset")
    photos = sorted(map(str, (data / "vist_dataset").rglob("*.jpg")))[:40]
    line = '{{"photos": ["{}"], "sentences": ["It rained."]}}\n'
    places["stories"].write_text("".join(line.format(photo) for photo in photos))


def start(command, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", command, *map(str, arguments)],
        cwd=REPOSITORY,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        **options,
    )


def drill(command, arguments, places):
    """Interrupt a command so often -> (command, its seconds, what happened, whether it failed)."""
    begun = time.monotonic()
    interrupt(command, places, 600, arguments.signal)
    seconds = time.monotonic() - begun
    moments = arguments.moments
    # Half of them while modules load, half of them evenly to the end.
    early = [number * min(1, seconds) / moments for number in range(moments // 2)]
    late = [
        seconds * (number + 0.5) / (moments - len(early)) for number in range(moments - len(early))
    ]
    outcomes = Counter()
    for moment in [*early, *late]:
        outcome = interrupt(command, places, moment, arguments.signal)
        if outcome not in FINE:
            print(f"{command} after {moment:.2f} s: {outcome}", flush=True)
        outcomes[outcome.splitlines()[0]] += 1
    text = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    print(command, text, flush=True)
    return command, seconds, text, not set(outcomes) <= FINE


def interrupt(command, places, moment, name):
    """Send the signal after `moment` seconds -> "ended well", "interrupted", or what was wrong."""
    for made in (places["new"], places["photos"] / "models"):
        shutil.rmtree(made, ignore_errors=True)
    places["new"].mkdir()
    (places["photos"] / "mean.json").unlink(missing_ok=True)
    filled = [argument.format(**places) for argument in COMMANDS[command]]
    with start(command, *filled, stderr=subprocess.PIPE, text=True) as process:
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.Signals[name])
        try:
            error = process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "hung for a minute"
    return verdict(process.returncode, error, signal.Signals[name], places["new"].parent)


def verdict(status, error, number, folder):
    left = [str(path) for pattern in LEFT_OVER for path in folder.rglob(pattern)]
    line = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    said_so = status == 128 + number and error.splitlines()[-1:] == [line]
    at_its_end_or_start = status == -number  # whatever it had said of its own work before
    if left:
        return f"left {', '.join(left)}"
    if "Traceback" in error:
        return PYTHON_STARTS if is_python_starting(error) else f"traceback\n{error}"
    if said_so or at_its_end_or_start or status == STOPPED:
        return "interrupted"
    return "ended well" if status in (0, 1, 2) else f"status {status}\n{error}"


def is_python_starting(error):
    """Whether no code of the project had run but what asks for another end."""
    places = re.findall(rf'"{re.escape(str(REPOSITORY))}/(\S+)"', error)
    return all(place.endswith(("/__init__.py", "/start.py")) for place in places)


if __name__ == "__main__":
    main()
