import numpy as np
import pytest

from models import model_class
from training.benchmark import Sizes, draw_batch, draw_word_embeddings
from training.experiment import Experiment
from training.model_building import compile_model
from training.naive_port import (
    NAIVE_MODELS,
    compile_naive,
    naive_batch,
    windows_at_their_places,
)

SIZES = Sizes(
    stories_per_batch=2,
    vocabulary_size=12,
    feature_size=6,
    word_embedding_size=3,
    units=5,
    input_dropout=0.0,
)


def test_photos_stand_at_their_own_places():
    story = np.arange(1.0, 4.0).reshape(1, 3, 1)
    windows = windows_at_their_places(story, image_group_size=2)
    assert windows[..., 0].tolist() == [[1, 0, 0], [1, 2, 0], [0, 2, 3]]


def test_naive_batch_by_value():
    sentences = np.zeros((1, 2, 22), np.int32)
    sentences[0, 0, :3] = 1, 4, 2
    sentences[0, 1, :4] = 1, 5, 4, 2
    inputs, targets, weights = naive_batch(np.ones((1, 2, 1)), sentences, 6, image_group_size=1)
    assert inputs["previous_sentences"][:, :4].tolist() == [[1, 0, 0, 0], [1, 4, 2, 0]]
    assert inputs["words"][:, :4].tolist() == [[1, 4, 0, 0], [1, 5, 4, 0]]
    assert weights[:, :4].tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]
    assert targets[1, :3].argmax(axis=1).tolist() == [5, 4, 2]
    assert targets.sum(axis=2).tolist() == weights.tolist()


def model_with_random_weights(name):
    units = {"image_encoder_latent_dim": SIZES.units}
    if name != "EncoderDecoder":
        units["sentence_encoder_latent_dim"] = SIZES.units
    model = model_class(name)(
        SIZES.vocabulary_size,
        SIZES.feature_size,
        word_embedding_size=SIZES.word_embedding_size,
        word_embeddings=draw_word_embeddings(SIZES),
        input_dropout=0.0,
        **units,
    )
    rng = np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model


def copy_weights(model, naive):
    decoder = model.decoder
    pairs = {"next_word": model.next_word_logits}
    pairs |= recurrent_pairs("image_encoder_{}", model.image_sequence_encoder)
    if model.name != "encoder_decoder":
        pairs |= recurrent_pairs("previous_sentence_encoder", model.previous_sentence_encoder)
    if model.name == "attention_encoder_decoder":
        attending, cell = naive.get_layer("decoder_2"), decoder.attention_cell
        attending.cell.set_weights(cell.cell.get_weights())
        attending.score.set_weights([cell.score.get_weights()[0].T])
        attending.attentional_state.set_weights(cell.attentional_state.get_weights())
        decoder = decoder.lower_layers
    pairs |= recurrent_pairs("decoder_{}", decoder)
    for layer, twin in pairs.items():
        naive.get_layer(layer).set_weights(twin.get_weights())


def recurrent_pairs(name, stack):
    return {name.format(number): layer for number, layer in enumerate(stack.recurrent_layers, 1)}


@pytest.mark.parametrize("name", NAIVE_MODELS)
def test_the_naive_port_has_the_loss_of_the_model(name):
    experiment = Experiment("twins", name)
    model = model_with_random_weights(name)
    compile_model(model, experiment, steps_per_epoch=1)
    naive = NAIVE_MODELS[name](
        draw_word_embeddings(SIZES), SIZES.feature_size, SIZES.units, SIZES.input_dropout
    )
    compile_naive(naive, experiment.learning_rate, experiment.gradient_clip_value)
    copy_weights(model, naive)
    features, sentences = draw_batch(SIZES, np.random.default_rng(3))
    made, targets, weights = naive_batch(features, sentences, SIZES.vocabulary_size, 3)
    made = {tensor.name: made[tensor.name] for tensor in naive.inputs}
    loss = model.test_on_batch({"image_features": features, "sentences": sentences}, sentences)
    np.testing.assert_allclose(naive.test_on_batch(made, targets, weights), loss, rtol=1e-5)
