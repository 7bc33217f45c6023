"""Training and generating in float16, as on a GPU; on a CPU Keras's own layers run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from generation.story_generator import StoryGenerator
from models import recurrent_cells
from models.attention import AttentionEncoderDecoder
from models.image_grouping import ImageGroupingModel
from training import loop
from training.checkpoint import training_variables
from training.experiment import Experiment
from training.loop import make_train_step
from training.model_building import compile_model

FEATURES, VOCABULARY = 6, 12
RANDOM = np.random.default_rng(0)
SENTENCES = np.zeros((2, 5, 22), np.int32)
SENTENCES[..., 0] = 1
SENTENCES[..., 1:4] = RANDOM.integers(4, VOCABULARY, size=(2, 5, 3))
SENTENCES[..., 4] = 2
STORIES = {
    "image_features": RANDOM.normal(size=(2, 5, FEATURES)).astype("float32"),
    "sentences": SENTENCES,
}

EXPERIMENT = Experiment(name="x", model="ImageGroupingModel", learning_rate=0.01)


@pytest.fixture
def gpu(monkeypatch):
    for module in (recurrent_cells, loop):
        monkeypatch.setattr(module, "has_gpu", lambda: True)


def float16_model(model_class=ImageGroupingModel):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    sizes = dict.fromkeys(
        ("image_encoder_latent_dim", "sentence_encoder_latent_dim", "word_embedding_size"), 4
    )
    model = model_class(VOCABULARY, FEATURES, num_layers=1, dtype="mixed_float16", **sizes)
    compile_model(model, EXPERIMENT, steps_per_epoch=1)
    return model


def weights_of(model):
    return [np.array(weight) for weight in model.trainable_variables]


def test_a_step_lowers_the_loss_and_one_that_overflows_is_skipped(gpu):
    model = float16_model()
    train_step = make_train_step(model, tf.distribute.get_strategy())
    losses = [float(train_step(STORIES, 1.0, False)[0]) for _ in range(5)]
    assert losses[-1] < losses[0] < np.log(VOCABULARY) + 0.1  # unscaled
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    before, optimizer = weights_of(model), model.optimizer
    optimizer.dynamic_scale.assign(2.0**40)
    assert np.isfinite(train_step(STORIES, 1.0, False)[0])
    np.testing.assert_equal(weights_of(model), before)
    assert float(optimizer.dynamic_scale) == 2.0**39
    assert int(optimizer.iterations) == 5
    assert float(optimizer.learning_rate) == pytest.approx(0.01)


def test_a_checkpoint_holds_the_scale_of_the_loss(gpu):
    model = float16_model()
    found = training_variables(model)
    assert {path for path in found if "/" in path and "optimizer" in path} == {
        "loss_scale_optimizer/dynamic_scale",
        "loss_scale_optimizer/iteration",
        "loss_scale_optimizer/learning_rate",
        "loss_scale_optimizer/step_counter",
    }
    moments = [path for path in found if path.startswith("adam/") and path.endswith("_momentum")]
    assert len(moments) == len(model.trainable_variables)
    assert {"adam/iteration", "adam/learning_rate"} <= set(found)


def test_gradients_in_float32_and_bfloat16_are_not_scaled():
    for dtype in ("float32", "mixed_bfloat16"):
        model = ImageGroupingModel(VOCABULARY, FEATURES, image_encoder_latent_dim=4, dtype=dtype)
        compile_model(model, EXPERIMENT, steps_per_epoch=1)
        assert type(model.optimizer) is keras.optimizers.Adam


@pytest.mark.parametrize("model_class", [ImageGroupingModel, AttentionEncoderDecoder])
def test_a_gpu_generates_in_float16(model_class, gpu):
    rows = StoryGenerator(float16_model(model_class)).generate(STORIES["image_features"])
    assert rows.shape == (2, 5, 22)
