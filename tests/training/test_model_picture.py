import cv2
import pytest

from models.image_grouping import ImageGroupingModel
from training import model_picture
from training.model_picture import can_draw, draw_model


def small_model():
    return ImageGroupingModel(7, 6, image_encoder_latent_dim=4, sentence_encoder_latent_dim=4)


@pytest.mark.skipif(not can_draw(), reason="graphviz (the program dot) is not installed")
def test_a_model_is_drawn(tmp_path):
    draw_model(small_model(), tmp_path / "model.png")
    assert cv2.imread(str(tmp_path / "model.png")).shape[1] > 500
    assert [path.name for path in tmp_path.iterdir()] == ["model.png"]


def test_without_graphviz_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(model_picture, "can_draw", lambda: False)
    with pytest.raises(FileNotFoundError, match="apt install graphviz"):
        draw_model(small_model(), tmp_path / "model.png")
