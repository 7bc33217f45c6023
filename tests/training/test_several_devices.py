"""Two devices that share each batch train as one does."""

import os
import subprocess
import sys
import textwrap

# TensorFlow splits a CPU into two devices only before it has started.
SCRIPT = """
    import sys
    from pathlib import Path

    import numpy as np
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    from tiny_training import experiment, write_data

    from models.loading import load_model
    from training import train as training
    from training.loss_plot import read_losses

    folder = Path(sys.argv[1])
    # Each device would draw a dropout of its own.  Three stories a batch, and one in the last.
    tiny = experiment(
        write_data(folder / "data"), stories_per_batch=3, epochs=2, score_every_epochs=0
    ).with_model_settings(input_dropout=0.0)
    runs = []
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for strategy in (tf.distribute.get_strategy(), both):
        training.choose_strategy = lambda: strategy
        runs.append(training.train(tiny, folder / f"results_{len(runs)}"))
    one, two = (read_losses(run) for run in runs)
    for column in ("loss", "val_loss"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-5)
    one, two = (load_model(run).get_weights() for run in runs)
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
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
