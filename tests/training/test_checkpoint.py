import errno
import json

import keras
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.run_files import LOSS_COLUMNS
from training.checkpoint import Checkpoints, Progress, kept_random_states, random_states
from training.strategy import draw_apart


def small_model(units=2):
    keras.utils.clear_session()
    keras.utils.set_random_seed(units)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(units)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def trained(model, steps):
    for _ in range(steps):
        model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    return model


def after(epochs, batch=0, **others):
    """The `Progress` after so many epochs."""
    row = dict.fromkeys(LOSS_COLUMNS, 2.0) | {"bleu": None}
    rows = [row | {"epoch": number} for number in range(1, epochs + 1)]
    return Progress(epochs, batch, rows=rows, samples=epochs * ["a story"], **others)


def test_a_training_that_is_restored_continues_as_if_nothing_had_happened(tmp_path):
    model = trained(small_model(), 3)
    saved = after(1, batch=3, loss_sum=0.1, words=7)
    Checkpoints(tmp_path).save(model, saved)
    expected = trained(model, 3).get_weights()
    other = trained(small_model(), 1)
    assert Checkpoints(tmp_path).restore_newest(other) == saved
    for weight, wanted in zip(trained(other, 3).get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_variables_are_named_by_their_paths(tmp_path):
    Checkpoints(tmp_path).save(small_model(), Progress())
    with np.load(tmp_path / "00000_0000000.npz") as archive:
        assert sorted(archive.files) == [
            "adam/iteration",
            "adam/learning_rate",
            "adam/sequential_dense_bias_momentum",
            "adam/sequential_dense_bias_velocity",
            "adam/sequential_dense_kernel_momentum",
            "adam/sequential_dense_kernel_velocity",
            "progress",
            "seed_generator/seed_generator_state",
            "sequential/dense/bias",
            "sequential/dense/kernel",
        ]


class Twins(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="twins")
        self.layers = [keras.layers.Dense(3, name="same") for _ in range(2)]

    def call(self, inputs):
        return self.layers[1](self.layers[0](inputs))


def test_two_variables_of_one_path_are_refused(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Twins()])
    model.compile(keras.optimizers.SGD(), "mse")
    with pytest.raises(ValueError, match=r"Two variables .* have the path .*twins/same/kernel"):
        Checkpoints(tmp_path).save(model, Progress())


def test_what_is_drawn_in_between_does_not_count():
    model = small_model()
    [state] = random_states(model)
    with kept_random_states(model):
        model(np.ones((1, 3)), training=True)
        assert state.numpy()[1] == 1
    assert state.numpy()[1] == 0


def test_the_newest_two_are_kept_and_a_broken_one_is_passed_over(tmp_path, capsys):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    for epoch, batch in ((0, 900), (1, 0), (1, 1000)):
        checkpoints.save(model, after(epoch, batch))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["00001_0000000.npz", "00001_0001000.npz"]
    newest = tmp_path / names[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    progress = checkpoints.restore_newest(model)
    assert (progress.epoch, progress.batch) == (1, 0)
    assert "00001_0001000.npz is broken" in capsys.readouterr().err


def test_without_a_checkpoint_nothing_has_been_done(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").restore_newest(small_model()) == Progress()


def test_each_worker_draws_a_dropout_of_its_own_that_the_seed_determines():
    drawn = {}
    for index in (0, 1, 2, 1):
        model = small_model()
        alone = model(np.ones((9, 3)), training=True)
        draw_apart(model, index)
        [state] = random_states(model)
        assert state.numpy()[1] == 1  # draws so far
        state.assign([state.numpy()[0], 0])
        output = np.array(model(np.ones((9, 3)), training=True))
        np.testing.assert_array_equal(drawn.setdefault(index, output), output)
        assert np.array_equal(output, alone) == (index == 0)
    assert not np.array_equal(drawn[1], drawn[2])


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    checkpoints.save(model, after(1))

    def full(file, **_):
        file.write(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(model, after(2))
    assert [path.name for path in tmp_path.iterdir()] == ["00001_0000000.npz"]
    assert checkpoints.restore_newest(model).epoch == 1


def test_a_removed_file_is_written_again(tmp_path):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    checkpoints.save(model, after(1))
    next(tmp_path.iterdir()).unlink()
    checkpoints.save(model, after(2))
    assert checkpoints.restore_newest(model).epoch == 2


def test_the_state_of_another_model_is_refused(tmp_path):
    Checkpoints(tmp_path).save(small_model(), Progress())
    with pytest.raises(
        ValueError, match=r"only the checkpoint has adam/sequential_dense_bias_momentum \[2\]"
    ):
        Checkpoints(tmp_path).restore_newest(small_model(units=4))


def test_a_checkpoint_of_another_version_is_refused(tmp_path):
    np.savez(tmp_path / "00001_0000000.npz", progress='{"epoch": 1, "best": 2}')
    with pytest.raises(ValueError, match="only the model has batch"):
        Checkpoints(tmp_path).restore_newest(small_model())


def test_the_best_epoch_is_one_with_a_finite_loss():
    rows = [{"epoch": n, "val_loss": loss} for n, loss in enumerate([2.0, 1.0, float("nan")])]
    assert Progress(rows=rows).best == rows[1]
    assert Progress().best is None


def write_checkpoint(folder, progress=None, **arrays):
    """A checkpoint of which some parts are others."""
    model = small_model()
    Checkpoints(folder).save(model, after(1))
    [path] = folder.iterdir()
    with np.load(path) as archive:
        whole = dict(archive)
    if progress is not None:
        whole["progress"] = json.dumps(json.loads(str(whole["progress"])) | progress)
    np.savez(path, **whole | arrays)
    return model


@pytest.mark.parametrize(
    ("progress", "message"),
    [
        ({"batch": "3"}, "progress.batch is '3', expected a whole number from 0"),
        ({"rows": [3]}, r"progress.rows is \[3\], expected a list, each a dictionary"),
        ({"rows": [{"epoch": 1}]}, "only the model has bleu"),
        ({"epoch": 2}, "is of epoch 2, but holds the losses of 1 epochs and the samples of 1"),
        ({"ended_by": None}, "progress.ended_by is None, expected a text"),
    ],
)
def test_a_progress_that_was_changed_is_refused(tmp_path, progress, message):
    model = write_checkpoint(tmp_path, progress)
    with pytest.raises(InputError, match=message):
        Checkpoints(tmp_path).restore_newest(model)


def test_a_variable_of_another_type_is_refused(tmp_path):
    model = write_checkpoint(tmp_path, **{"sequential/dense/bias": np.zeros(2)})
    with pytest.raises(InputError, match=r"model has sequential/dense/bias \[2\] float32"):
        Checkpoints(tmp_path).restore_newest(model)


def test_a_checkpoint_that_unpacks_to_more_than_it_is_is_not_used(tmp_path, capsys):
    np.savez_compressed(tmp_path / "00001_0000000.npz", progress=np.zeros(10**6))
    assert Checkpoints(tmp_path).restore_newest(small_model()) == Progress()
    assert "is broken ('progress.npy' in the archive is not stored" in capsys.readouterr().err
