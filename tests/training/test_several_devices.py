"""Two devices that share each batch train as one does."""

import subprocess
import sys
import textwrap

# TensorFlow splits a CPU into two devices only before it has started.
SCRIPT = """
    import sys
    from pathlib import Path

    import h5py
    import numpy as np
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    from data_reader.layout import DataLayout
    from data_reader.vocabulary import Vocabulary
    from training import train as training
    from training.experiment import Experiment
    from training.loss_plot import read_losses

    folder = Path(sys.argv[1])
    vocabulary = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "ran"))
    layout = DataLayout(folder / "data")
    layout.root.mkdir()
    vocabulary.write(layout.vocabulary)
    random = np.random.default_rng(0)
    for split, stories in (("train", 5), ("valid", 3)):
        path = layout.stories(split)
        path.parent.mkdir(exist_ok=True)
        with h5py.File(path, "w") as file:
            file["story_ids"] = np.arange(stories)
            file["image_embeddings"] = random.random((stories, 5, 6), np.float32)
            texts = [["the dog ran " * random.integers(1, 6) for _ in range(5)]] * stories
            file["story_sentences"] = np.array([[vocabulary.encode(t) for t in s] for s in texts])
            file.attrs["extractor"] = "alexnet"
            file.attrs["vocabulary_size"] = len(vocabulary)
            file.attrs["vocabulary_checksum"] = vocabulary.checksum
    experiment = Experiment(
        name="tiny",
        model="ImageGroupingModel",
        model_settings={
            "image_encoder_latent_dim": 4,
            "sentence_encoder_latent_dim": 4,
            "word_embedding_size": 4,
            "num_layers": 1,
            "input_dropout": 0.0,
        },
        data=str(layout.root),
        epochs=3,
        stories_per_batch=3,  # an odd number, and 2 stories in the last batch
        learning_rate=0.01,
    )
    runs = []
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for strategy in (tf.distribute.get_strategy(), both):
        training.choose_strategy = lambda: strategy
        runs.append(training.train(experiment, folder / f"results_{len(runs)}"))
    one, two = (read_losses(run) for run in runs)
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=0.02)
    one, two = (run.load_model().get_weights() for run in runs)
    for expected, weight in zip(one, two, strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)
"""


def test_weights_are_those_of_one_device(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
