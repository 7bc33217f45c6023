"""What every experiment's command does."""

from data_reader.commands import command_line, import_tensorflow, run_command
from data_reader.layout import RESULTS, DataLayout
from training.experiment import smoke_test


def run_experiment(experiment):
    """The command line of one experiment: train it, or a tiny version of it."""
    run_command(lambda: _main(experiment))


def _main(experiment):
    parser = command_line(f"Train the experiment {experiment.name!r} on {experiment.data}.")
    parser.add_argument(
        "--smoke-test",
        action="store_true",
        help="a tiny model on a tiny sample set, made if need be: does everything run?",
    )
    parser.add_argument(
        "--results", default=RESULTS, help="where run folders go (default: results/)"
    )
    arguments = parser.parse_args()
    if arguments.smoke_test:
        experiment = smoke_test(experiment)
        _make_smoke_data(DataLayout(experiment.data))
    import_tensorflow()
    from training.train import train

    run = train(experiment, arguments.results)
    print(f"model and loss plot: {run.path}")


def _make_smoke_data(layout):
    """The tiny sample set with features and stories files; what is there is kept."""
    from data_reader.layout import SPLITS
    from data_reader.sis_datareader import index_stories, make_vocabulary
    from dataset.image_features import extract_all
    from dataset.sample.sample_set import SMOKE_ALBUMS, make_sample_set

    if all(layout.stories(split).exists() for split in SPLITS):
        return
    make_sample_set(layout, SMOKE_ALBUMS)
    extract_all(layout)
    vocabulary = make_vocabulary(layout)
    for split in SPLITS:
        index_stories(layout, split, vocabulary)
