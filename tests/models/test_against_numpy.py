"""Each model against the same equations in NumPy: tests/numpy_reference.py.

Legend of shapes as there.
"""

import keras
import numpy as np
import numpy_reference
import pytest
import tensorflow as tf

from models.attention import AttentionEncoderDecoder
from models.attention_cells import LuongCell
from models.attention_scores import AdditiveScore, GeneralScore
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel
from models.next_word import NextWordLoss
from models.recurrent import RecurrentStack

VOCABULARY, FEATURES = 12, 6
REFERENCES = {
    EncoderDecoder: numpy_reference.encoder_decoder,
    ImageGroupingModel: numpy_reference.image_grouping_model,
    AttentionEncoderDecoder: numpy_reference.attention_encoder_decoder,
}
# The settings that change the equations; the others change the weights' sizes.
EQUATIONS = (
    "cell_type",
    "image_group_size",
    "reverse",
    "sentence_encoder",
    "attention",
    "attend_to",
    "attention_feeds",
)
FEEDING = {"attention_feeds": "input"}


def random_stories():
    """Two stories; among their sentences one of all 20 words and several of one."""
    rng = np.random.default_rng(0)
    sentences = np.zeros((2, 5, 22), np.int32)
    for story, lengths in zip(sentences, [(4, 20, 1, 3, 2), (1, 2, 5, 1, 3)], strict=True):
        for row, length in zip(story, lengths, strict=True):
            words = rng.integers(3, VOCABULARY, length)
            row[: length + 2] = [numpy_reference.START, *words, numpy_reference.END]
    features = rng.normal(size=(2, 5, FEATURES)).astype("float32")
    return {"image_features": features, "sentences": sentences}


STORIES = random_stories()


def random_model(model_class, **settings):
    """A small model, all of whose weights are random: also those that start at zero or one."""
    latent_dims = {"image_encoder_latent_dim": 4}
    if model_class is ImageGroupingModel or settings.get("attend_to") == "images":
        latent_dims["sentence_encoder_latent_dim"] = 3
    elif model_class is AttentionEncoderDecoder:
        latent_dims["sentence_encoder_latent_dim"] = 4
    model = model_class(
        VOCABULARY, FEATURES, word_embedding_size=5, input_dropout=0.0, **latent_dims, **settings
    )
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def arrays_of(model):
    """All weights as float64 arrays, by their variables' paths."""
    return {weight.path: np.float64(weight) for weight in model.weights}


def reference_weights(model, arrays):
    """The arrays of `arrays_of` by the names that the reference has for them."""
    weights = {
        "feature_standardisation": None,
        "image_encoder": recurrent_weights(model.image_sequence_encoder, arrays),
        "word_embedding": arrays[model.word_embedding.embeddings.path],
        "logits": dense_weights(model.next_word_logits, arrays),
    }
    if model.feature_standardisation is not None:
        weights["feature_standardisation"] = {
            "mean": arrays[model.feature_standardisation.mean.path],
            "scale": arrays[model.feature_standardisation.scale.path],
        }
    if getattr(model, "previous_sentence_encoder", None) is not None:
        encoder = model.previous_sentence_encoder
        weights["sentence_encoder"] = sentence_encoder_weights(encoder, arrays)
    if isinstance(model, AttentionEncoderDecoder):
        weights["decoder"] = recurrent_weights(model.decoder.lower_layers, arrays)
        attention = model.decoder.attention_cell
        weights["decoder"] += [cell_weights(cell, arrays) for cell in attention.cells[:-1]]
        weights["attention"] = attention_weights(attention, arrays)
    else:
        weights["decoder"] = recurrent_weights(model.decoder, arrays)
    return weights


def dense_weights(layer, arrays):
    return {"kernel": arrays[layer.kernel.path], "bias": arrays[layer.bias.path]}


def cell_weights(layer, arrays):
    kernel, recurrent_kernel, bias = (arrays[weight.path] for weight in layer.weights)
    return {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}


def recurrent_weights(stack, arrays):
    """Of each layer; a decoder with attention alone has no stack below."""
    return [cell_weights(layer, arrays) for layer in stack.recurrent_layers] if stack else []


def sentence_encoder_weights(encoder, arrays):
    if isinstance(encoder, RecurrentStack):
        [only_layer] = recurrent_weights(encoder, arrays)
        return only_layer
    states = [dense_weights(part, arrays) for part in encoder.parts]
    return {**dense_weights(encoder.trigrams, arrays), "state_layers": states}


def attention_weights(cell, arrays):
    weights = {"cell": cell_weights(cell.cell, arrays)}
    if isinstance(cell.score, GeneralScore):
        weights["score_kernel"] = arrays[cell.score.kernel.path]
    if isinstance(cell.score, AdditiveScore):
        weights["score_vector"] = arrays[cell.score.v.path]
        weights["state_kernel"] = arrays[cell.score.query_kernel.path]
        weights["memory_kernel"] = arrays[cell.score.memory_kernel.path]
        # Side by side they are W_a of Luong's [h; s].
        both = [weights["state_kernel"], weights["memory_kernel"]]
        weights["score_kernel"] = np.concatenate(both)
    if isinstance(cell, LuongCell):
        combination = dense_weights(cell.attentional_state, arrays)
        weights["combination_kernel"] = combination["kernel"]
        weights["combination_bias"] = combination["bias"]
    return weights


def reference_logits(model, settings, arrays):
    equations = {name: value for name, value in settings.items() if name in EQUATIONS}
    return REFERENCES[type(model)](reference_weights(model, arrays), **STORIES, **equations)


def reference_loss(model, settings, arrays):
    logits = reference_logits(model, settings, arrays)
    return numpy_reference.next_word_loss(STORIES["sentences"], logits)


def every_model():
    """Each kind of model, and of each all that changes its equations."""
    for model_class in REFERENCES:
        yield model_class, {}
        yield model_class, {"standardise_features": False, "image_group_size": 2}
        yield model_class, {"num_layers": 3, "reverse": True}
        for cell_type in ("gru", "lstm"):
            for num_layers in (1, 2):
                yield model_class, {"cell_type": cell_type, "num_layers": num_layers}
    for image_group_size in (1, 2, 3, 4, 5):
        for reverse in (False, True):
            window = {"image_group_size": image_group_size, "reverse": reverse}
            yield EncoderDecoder, {"num_layers": 1, **window}
    for cell_type in ("gru", "lstm"):
        yield ImageGroupingModel, {"sentence_encoder": "cnn", "cell_type": cell_type}
        for attention in ("dot", "general", "concat", "bahdanau"):
            for attend_to in ("previous_sentence", "images"):
                looks = {"attention": attention, "attend_to": attend_to}
                yield AttentionEncoderDecoder, {"cell_type": cell_type, **looks}
    one_layer = {"attend_to": "images", "num_layers": 1}
    yield AttentionEncoderDecoder, {"image_group_size": 5, "reverse": True, **one_layer}
    yield AttentionEncoderDecoder, {"image_group_size": 1, "cell_type": "lstm", **one_layer}
    yield AttentionEncoderDecoder, {**FEEDING, "attention": "concat", "num_layers": 3}
    yield from packed_input_feeding()


def packed_input_feeding():
    yield AttentionEncoderDecoder, {**FEEDING, "num_layers": 2}
    looks = {"attention": "dot", "attend_to": "images"}
    yield AttentionEncoderDecoder, {**FEEDING, "num_layers": 1, "cell_type": "lstm", **looks}


def cases(models):
    return [
        pytest.param(
            model_class,
            settings,
            id="-".join([model_class.__name__, *(f"{k}={v}" for k, v in settings.items())]),
        )
        for model_class, settings in models
    ]


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_the_recurrences_are_keras_s(cell_type):
    layer = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[cell_type](
        3, return_sequences=True, return_state=True
    )
    layer.build((1, 6, 4))
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    sequence = rng.normal(size=(6, 4))
    mask = np.array([True, False, True, True, False, False])
    first = [rng.normal(size=3) for _ in range(numpy_reference.STATE_PARTS[cell_type])]
    expected, *expected_state = layer(
        sequence[None], mask=mask[None], initial_state=[part[None] for part in first]
    )
    names = ("kernel", "recurrent_kernel", "bias")
    weights = dict(zip(names, layer.get_weights(), strict=True))
    outputs, state = numpy_reference.run_layer(cell_type, weights, sequence, first, mask)
    np.testing.assert_allclose(outputs[mask], expected[0][mask], atol=1e-6)
    np.testing.assert_allclose(state, [part[0] for part in expected_state], atol=1e-6)


@pytest.mark.parametrize("model_class", REFERENCES)
def test_no_weight_is_compared_at_its_start(model_class):
    for path, array in arrays_of(random_model(model_class)).items():
        assert not np.isin(array, [0, 1]).any(), path


@pytest.mark.parametrize(("model_class", "settings"), cases(every_model()))
def test_logits_and_loss(model_class, settings):
    model = random_model(model_class, **settings)
    arrays = arrays_of(model)
    logits = model(STORIES)
    np.testing.assert_allclose(logits, reference_logits(model, settings, arrays), rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        NextWordLoss()(STORIES["sentences"], logits),
        reference_loss(model, settings, arrays),
        rtol=1e-5,
    )


def gradients(model):
    """The loss's gradient for each trainable weight, computed as in training."""

    weights = model.trainable_weights
    with tf.GradientTape() as tape:
        loss = NextWordLoss()(STORIES["sentences"], model(STORIES, training=True))
    found = tape.gradient(loss, [weight.value for weight in weights])
    return {
        weight.path: np.float64(tf.convert_to_tensor(gradient))
        for weight, gradient in zip(weights, found, strict=True)
    }


def slope(model, settings, path, direction, step=1e-5):
    """How fast the reference's loss grows when a weight goes in a direction; central difference."""
    arrays = arrays_of(model)
    ahead = arrays | {path: arrays[path] + step * direction}
    behind = arrays | {path: arrays[path] - step * direction}
    difference = reference_loss(model, settings, ahead) - reference_loss(model, settings, behind)
    return difference / (2 * step)


def differentiated_models():
    for cell_type in ("gru", "lstm"):
        settings = {"cell_type": cell_type, "num_layers": 2}
        yield EncoderDecoder, settings
        yield ImageGroupingModel, settings
        yield ImageGroupingModel, settings | {"sentence_encoder": "cnn"}
        for attention in ("dot", "general", "concat", "bahdanau"):
            yield AttentionEncoderDecoder, settings | {"attention": attention}
    yield AttentionEncoderDecoder, {"num_layers": 2, "attend_to": "images"}
    yield from packed_input_feeding()


@pytest.mark.parametrize(("model_class", "settings"), cases(differentiated_models()))
def test_gradients(model_class, settings):
    model = random_model(model_class, **settings)
    rng = np.random.default_rng(2)
    for path, gradient in gradients(model).items():
        # A direction in which all entries change: none of their gradients can be wrong unseen.
        direction = rng.normal(size=gradient.shape)
        np.testing.assert_allclose(
            np.sum(gradient * direction),
            slope(model, settings, path, direction),
            rtol=1e-4,
            atol=1e-7,
            err_msg=path,
        )
