"""python -m training.vist_estimate WORK...: how fast things go here, measured in about a minute.

WORK is `features` (of photos, by AlexNet), `photos` (their download), `alexnet`, `glove` or `arel`
(other downloads), `generation`, or an experiment of `training.vist` that is to be trained.  It
prints `{WORK: photos, bytes or stories per second}` as JSON, with null for what can't be fetched.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from data_reader.cli import add_data_option, command_line, import_tensorflow, run_command
from data_reader.errors import InputError
from data_reader.layout import DataLayout
from data_reader.measuring import available_cores
from dataset.download.addresses import add_address_option
from training.vist_steps import ARCHIVES, EXPERIMENTS, FEATURES, GENERATION, PHOTOS

_BYTES_FETCHED = 4_000_000
_PHOTOS_FETCHED = 32
_CONNECTIONS = 8  # the default of python -m dataset.download


def main():
    arguments = _parse_arguments()
    import_tensorflow()
    print(json.dumps({work: _rate(work, arguments) for work in arguments.work}))


def _rate(work, arguments):
    if work == FEATURES:
        return _photos_per_second()
    if work == PHOTOS:
        return _downloaded_photos_per_second(DataLayout(arguments.data))
    if work in ARCHIVES:
        return _downloaded_bytes_per_second(work, arguments.address)
    if work == GENERATION:
        return _generated_per_second()
    experiment = EXPERIMENTS[work].overridden(arguments.settings)
    return _trained_per_second(experiment, arguments.feature_size)


def _photos_per_second():
    from dataset.benchmark import measure_forward

    return measure_forward(len(available_cores()))["photos_per_second"]


def _downloaded_photos_per_second(layout):
    from dataset.download.fetch import Client, FetchError
    from dataset.download.parallel import in_parallel
    from dataset.download.photo_addresses import read_photo_addresses

    addresses = read_photo_addresses(layout.annotations("valid"))
    addresses = [address for address in addresses.values() if address]
    if not addresses:
        raise InputError(f"{layout.annotations('valid')} has no addresses of photos to download.")
    chosen = addresses[:: max(len(addresses) // _PHOTOS_FETCHED, 1)]
    client = Client(_CONNECTIONS)
    reasons = []
    with tempfile.TemporaryDirectory() as folder:

        def fetch(numbered):
            number, address = numbered
            try:
                client.fetch(address, Path(folder) / str(number))
            except FetchError as failure:
                reasons.append(failure)

        start = time.perf_counter()
        for _ in in_parallel(fetch, list(enumerate(chosen)), _CONNECTIONS):
            pass
        seconds = time.perf_counter() - start
    if len(reasons) == len(chosen):
        print(f"photos can't be fetched: {reasons[0]}", file=sys.stderr)
        return None
    return len(chosen) / seconds


def _downloaded_bytes_per_second(name, overrides):
    from dataset.download.addresses import read_table
    from dataset.download.fetch import Client, FetchError

    address = read_table(overrides=overrides)[0][name]
    fetched = 0

    def count(done, _):
        nonlocal fetched
        fetched = done

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        partial = Path(folder) / name
        try:
            Client().fetch(address.url, partial, address.headers, _BYTES_FETCHED, count)
        except FetchError as failure:
            if not fetched:  # otherwise it is larger
                print(f"{address.url} can't be fetched: {failure}", file=sys.stderr)
                return None
    return fetched / (time.perf_counter() - start)


def _trained_per_second(experiment, feature_size):
    """Stories per second of the second training step; the first one is compiled."""
    import numpy as np

    from training.benchmark import draw_batch, make_steps

    sizes = _sizes(experiment, feature_size)
    train = make_steps(experiment.model, experiment.precision, sizes)
    batch = draw_batch(sizes, np.random.default_rng(1))
    train([batch])
    return sizes.stories_per_batch / train([batch])


def _sizes(experiment, feature_size):
    from training.benchmark import Sizes

    settings = experiment.model_settings
    return Sizes(
        stories_per_batch=experiment.stories_per_batch,
        feature_size=feature_size,
        word_embedding_size=settings["word_embedding_size"],
        units=settings["image_encoder_latent_dim"],
        image_group_size=settings["image_group_size"],
        input_dropout=settings["input_dropout"],
    )


def _generated_per_second():
    from generation.benchmark import make_batch_work

    generate = make_batch_work("ImageGroupingModel", "greedy", "float32")
    start = time.perf_counter()
    stories = len(generate())
    return stories / (time.perf_counter() - start)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument(
        "work",
        nargs="+",
        choices=[FEATURES, PHOTOS, *ARCHIVES, GENERATION, *EXPERIMENTS],
        metavar="WORK",
    )
    add_data_option(parser)
    add_address_option(parser)
    parser.add_argument("--feature-size", type=int, default=4096, help="(default: %(default)s)")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        dest="settings",
        metavar="SETTING=VALUE",
        help="override settings of the experiments",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)
