import errno

import keras
import numpy as np
import pytest

from training.checkpoint import Checkpoints, Progress, restore


def small_model(units=2):
    keras.utils.set_random_seed(units)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(units)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def trained(model, steps):
    for _ in range(steps):
        model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    return model


def test_a_training_that_is_put_back_goes_on_as_if_nothing_had_been(tmp_path):
    model = trained(small_model(), 3)
    Checkpoints(tmp_path).save(model, Progress(epoch=1, batch=3, rows=[{"val_loss": 2.0}]))
    expected = trained(model, 3).get_weights()
    progress, state = Checkpoints(tmp_path).newest()
    assert progress == Progress(epoch=1, batch=3, rows=[{"val_loss": 2.0}])
    other = trained(small_model(), 1)
    restore(other, state)
    for weight, wanted in zip(trained(other, 3).get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_the_newest_two_are_kept_and_a_broken_one_is_passed_over(tmp_path, capsys):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    for epoch, batch in ((0, 900), (1, 0), (1, 1000)):
        checkpoints.save(model, Progress(epoch=epoch, batch=batch))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["00001_0000000.npz", "00001_0001000.npz"]
    newest = tmp_path / names[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    progress, state = checkpoints.newest()
    assert (progress.epoch, progress.batch) == (1, 0)
    assert state
    assert "00001_0001000.npz is broken" in capsys.readouterr().err


def test_without_a_checkpoint_nothing_has_been_done(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").newest() == (Progress(), None)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    checkpoints.save(model, Progress(epoch=1))

    def full(file, **_):
        file.write(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(model, Progress(epoch=2))
    assert [path.name for path in tmp_path.iterdir()] == ["00001_0000000.npz"]
    assert checkpoints.newest()[0].epoch == 1


def test_a_removed_file_is_written_again(tmp_path):
    model, checkpoints = small_model(), Checkpoints(tmp_path)
    checkpoints.save(model, Progress(epoch=1))
    next(tmp_path.iterdir()).unlink()
    checkpoints.save(model, Progress(epoch=2))
    assert checkpoints.newest()[0].epoch == 2


def test_the_state_of_another_model_is_refused(tmp_path):
    Checkpoints(tmp_path).save(small_model(), Progress())
    _, state = Checkpoints(tmp_path).newest()
    with pytest.raises(ValueError, match=r"not the .* of this model"):
        restore(small_model(units=4), state)


def test_the_best_epoch_is_one_with_a_finite_loss():
    rows = [{"epoch": n, "val_loss": loss} for n, loss in enumerate([2.0, 1.0, float("nan")])]
    assert Progress(rows=rows).best == rows[1]
    assert Progress().best is None
