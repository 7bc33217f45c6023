"""python -m training.vist: the paper's three models on VIST, from nothing to scored stories.

It downloads the annotations and says how long and how large the remaining steps are expected to be
on this machine.  Then it runs them: downloads, features, stories files, training, generation and
scores.  At the end it prints the scores beside those that were recorded in 2018.  It can be
interrupted at any time; the same command resumes, and finished steps are skipped.
"""

import math
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.files import atomic_write
from data_reader.layout import DataLayout
from data_reader.measuring import in_its_own_process
from dataset.download.addresses import add_address_option
from training.command import add_results_option
from training.vist_scores import table_of_scores
from training.vist_steps import EXPERIMENTS, FEATURE_SIZES, Vist, all_steps, annotations_step

_EXTRACTORS = {"photos": "alexnet", "arel": "arel"}


def main():
    arguments = _parse_arguments()
    vist = Vist(
        DataLayout(arguments.data),
        Path(arguments.results).absolute(),
        _EXTRACTORS[arguments.features],
        tuple(arguments.settings),
        tuple(arguments.address),
    )
    vist.check()  # before anything is downloaded
    _run(annotations_step(vist))
    steps = all_steps(vist)
    print(_plan(steps, _measure(steps, vist)), flush=True)
    if arguments.plan:
        return
    for step in steps:
        _run(step)
    runs = {name: vist.finished_run(name) for name in EXPERIMENTS}
    table = table_of_scores(runs, vist.layout)
    path = vist.results / "vist_scores.md"
    with atomic_write(path) as partial:
        partial.write_text(table, encoding="utf-8")
    print(f"\n{table}\n{path}")


def _run(step):
    """Run a step unless it is done; end this process as the step's ended, if not well.

    A signal that ends this process is handed on to the step, which saves its state.
    """
    if step.is_done():
        print(f"{step.title}: already there")
        return
    command = ["-m", *step.command()]
    print(f"\n{step.title}: python {shlex.join(command)}", flush=True)
    running = subprocess.Popen([sys.executable, *command])
    asked_to_end = []

    def hand_on(number, _):
        asked_to_end.append(number)
        running.terminate()

    before = signal.signal(signal.SIGTERM, hand_on)
    try:
        status = _wait_for(running)
    finally:
        signal.signal(signal.SIGTERM, before)
    if asked_to_end and status == 0:  # it was just done
        status = -asked_to_end[0]
    if status != 0:
        print("Stopped; the same command resumes here.", file=sys.stderr)
        sys.exit(status if status > 0 else 128 - status)


def _wait_for(running):
    """Wait for a process; Ctrl-C reaches it by itself, and it may need a while to end."""
    while True:
        try:
            return running.wait()
        except KeyboardInterrupt:
            continue


def _measure(steps, vist):
    """The rates of this machine for the steps that are left -> `{work: per second or None}`."""
    work = dict.fromkeys(step.work for step in steps if step.work and not step.is_done())
    if not work:
        return {}
    print("measuring this machine, about a minute ...", flush=True)
    settings = vist.all_settings()
    return in_its_own_process(
        "training.vist_estimate",
        *work,
        *("--data", vist.layout),
        *("--feature-size", FEATURE_SIZES[vist.extractor]),
        *vist.address_options(),
        *(["--set", *settings] if settings else []),
    )


def _plan(steps, rates):
    """The steps as a table: what is left of each, and its expected time and size."""
    rows = [("step", "amount", "time", "disk")]
    total, disk_space, is_all = 0.0, 0.0, True
    for step in steps:
        if step.is_done():
            rows.append((step.title, "already there", "", ""))
            continue
        rate = rates[step.work] if step.work else math.inf
        seconds = step.amount / rate if rate else 0.0
        total, is_all = total + seconds, is_all and rate is not None
        disk_space += step.gigabytes
        amount = f"{step.amount:,} {step.unit}" if step.work else ""
        disk = f"{step.gigabytes:.1f} GB" if step.gigabytes else ""
        rows.append((step.title, amount, _duration(seconds) if rate else "unknown", disk))
    at_least = "" if is_all else "at least "
    rows.append(("all", "", f"{at_least}{_duration(total)}", f"{disk_space:.1f} GB"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{title:<{widths[0]}}  {amount:<{widths[1]}}  {time:>{widths[2]}}  {disk:>{widths[3]}}"
        for title, amount, time, disk in rows
    )


def _duration(seconds):
    """3 days, 5 h, 20 min or 7 s; "" for nothing."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{math.ceil(seconds)} s" if seconds else ""


def _parse_arguments():
    parser = command_line(__doc__)
    add_data_option(parser)
    parser.add_argument(
        "--features",
        choices=_EXTRACTORS,
        default="photos",
        help="photos: AlexNet's, of the photos; arel: AREL's ResNet-152 features, without photos "
        "(default: %(default)s)",
    )
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    add_address_option(parser)
    add_results_option(parser)
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        dest="settings",
        metavar="SETTING=VALUE",
        help="override settings of the three experiments for a trial: epochs=1",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)
