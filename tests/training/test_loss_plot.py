import math

import cv2
import pytest
from written_runs import write_run

from data_reader.run_folder import RunFolder
from training.loss_plot import highest_bleu, plot_losses, read_losses

NAN, INF = math.nan, math.inf


def height_of_plot(run):
    plot_losses(run)
    return cv2.imread(str(run.loss_plot)).shape[0]


def test_the_columns_are_read_as_numbers_and_nan_for_what_is_empty(tmp_path):
    losses = read_losses(write_run(tmp_path / "run", [3.0, 2.0, NAN], bleu=["", 12.5, ""]))
    assert losses["epoch"] == [1, 2, 3]
    assert losses["loss"][:2] == [1.5, 1.0]
    assert losses["val_loss"][:2] == [3.0, 2.0]
    assert math.isnan(losses["val_loss"][2])
    assert losses["learning_rate"] == [0.01] * 3
    assert losses["seconds"] == [1.5] * 3
    assert losses["words_per_second"] == [1000] * 3
    assert [math.isnan(bleu) for bleu in losses["bleu"]] == [True, False, True]
    assert highest_bleu(losses) == 12.5


@pytest.mark.parametrize(
    "losses", [[2.5], [3.0, 2.0, 2.2], [3.0, NAN], [3.0, INF], [NAN], [0.0, 0.0]]
)
def test_a_plot_is_drawn_whatever_the_losses(tmp_path, losses):
    run = write_run(tmp_path / "run", losses)
    height = height_of_plot(run)
    assert height > 500
    assert sorted(path.name for path in run.path.glob("*loss*")) == ["loss.csv", "loss.png"]


def test_scores_have_a_panel_of_their_own(tmp_path):
    without = height_of_plot(write_run(tmp_path / "without", [3.0, 2.0]))
    with_scores = height_of_plot(write_run(tmp_path / "with", [3.0, 2.0], bleu=["", 20.0]))
    assert with_scores > 1.3 * without


def test_without_an_epoch_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match=r"loss.csv has no row: the first epoch did not end"):
        plot_losses(RunFolder(tmp_path))
    with pytest.raises(ValueError, match=r"loss.csv has no row"):
        plot_losses(write_run(tmp_path / "run", []))
    assert not list(tmp_path.rglob("*.png"))
