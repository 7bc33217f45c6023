"""The proposed model: image grouping and the previous sentence start the decoder."""

import keras
from keras import layers

from data_reader.errors import InputError
from models.layers import FeatureStandardisation, ImageGrouping
from models.recurrent import RecurrentStack
from models.sentence_encoder import ConvolutionalSentenceEncoder
from models.story_model import StoryModel, make_word_embedding


@keras.saving.register_keras_serializable("stories")
class ImageGroupingModel(StoryModel):
    """Smilevski, Lalkovski, Madjarov 2018, section 3.

    An image-sequence encoder reads the current photo and the few before it, a previous-sentence
    encoder reads the sentence before; both final states together are the first state of the
    decoder, which writes the current sentence.

    Inputs, a dictionary:
        image_features: float32 [B, I, F].
        sentences: int32 [B, I, T], rows <START> words <END> padded with <NULL>.
    Output: logits [W, V] of the real words (and <END>s) to be written, in reading order.

    Args:
        vocabulary_size: words with the four special ones, V.
        feature_size: F.
        image_group_size: photos that a sentence sees, the current one included.
        reverse: feed each window backwards.
        cell_type: "gru" or "lstm".
        num_layers: recurrent layers of the image-sequence encoder and of the decoder.
        image_encoder_latent_dim: units of the image-sequence encoder.
        sentence_encoder_latent_dim: units of the previous-sentence encoder; the decoder has
            both together.
        sentence_encoder: "rnn" or "cnn" (`ConvolutionalSentenceEncoder`).
        word_embedding_size: E; one embedding serves both the encoder and the decoder.
        word_embeddings: [V, E] that the words start from; they are weights, no part of the config.
        train_word_embeddings: whether they learn; by default only where none were given.
        input_dropout: of the image features and before the softmax.
        recurrent_dropout: of all recurrent layers.
        standardise_features: see `FeatureStandardisation`.

    Raises:
        ValueError: an argument has no meaning; the message names it.
    """

    def __init__(
        self,
        vocabulary_size,
        feature_size=4096,
        image_group_size=3,
        reverse=False,
        cell_type="gru",
        num_layers=2,
        image_encoder_latent_dim=1024,
        sentence_encoder_latent_dim=1024,
        sentence_encoder="rnn",
        word_embedding_size=300,
        word_embeddings=None,
        train_word_embeddings=None,
        input_dropout=0.35,
        recurrent_dropout=0.0,
        standardise_features=True,
        name="image_grouping_model",
    ):
        if train_word_embeddings is None:
            train_word_embeddings = word_embeddings is None

        # === Layers ===
        self.feature_standardisation = (
            FeatureStandardisation(name="feature_standardisation") if standardise_features else None
        )
        self.image_dropout = layers.Dropout(input_dropout, name="image_dropout")
        self.image_grouping = ImageGrouping(image_group_size, reverse, name="image_grouping")
        self.image_sequence_encoder = RecurrentStack(
            cell_type,
            image_encoder_latent_dim,
            num_layers,
            recurrent_dropout,
            name="image_sequence_encoder",
        )
        self.word_embedding = make_word_embedding(
            vocabulary_size, word_embedding_size, word_embeddings, train_word_embeddings
        )
        self.previous_sentence_encoder = _make_sentence_encoder(
            sentence_encoder, cell_type, sentence_encoder_latent_dim, recurrent_dropout
        )
        self.both_encoders = layers.Concatenate(dtype="float32", name="both_encoders")
        self.decoder = RecurrentStack(
            cell_type,
            image_encoder_latent_dim + sentence_encoder_latent_dim,
            num_layers,
            recurrent_dropout,
            name="decoder",
        )
        self.softmax_dropout = layers.Dropout(input_dropout, name="softmax_dropout")
        self.next_word_logits = layers.Dense(vocabulary_size, name="next_word_logits")

        # === Graph ===
        inputs, logits = self.connect(feature_size)
        super().__init__(inputs=inputs, outputs=logits, name=name)

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.feature_size = feature_size
        self.image_group_size = image_group_size
        self.reverse = reverse
        self.cell_type = cell_type
        self.num_layers = num_layers
        self.image_encoder_latent_dim = image_encoder_latent_dim
        self.sentence_encoder_latent_dim = sentence_encoder_latent_dim
        self.sentence_encoder = sentence_encoder
        self.word_embedding_size = word_embedding_size
        self.train_word_embeddings = train_word_embeddings
        self.input_dropout = input_dropout
        self.recurrent_dropout = recurrent_dropout
        self.standardise_features = standardise_features

    def decoder_start(self, image_state, previous_vectors, is_previous_word):
        _, [sentence_state] = self.previous_sentence_encoder(
            previous_vectors, mask=is_previous_word
        )
        both = [
            self.both_encoders(parts) for parts in zip(image_state, sentence_state, strict=True)
        ]
        return {"initial_state": both}

    def get_config(self):
        return {
            "vocabulary_size": self.vocabulary_size,
            "feature_size": self.feature_size,
            "image_group_size": self.image_group_size,
            "reverse": self.reverse,
            "cell_type": self.cell_type,
            "num_layers": self.num_layers,
            "image_encoder_latent_dim": self.image_encoder_latent_dim,
            "sentence_encoder_latent_dim": self.sentence_encoder_latent_dim,
            "sentence_encoder": self.sentence_encoder,
            "word_embedding_size": self.word_embedding_size,
            "train_word_embeddings": self.train_word_embeddings,
            "input_dropout": self.input_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "standardise_features": self.standardise_features,
            "name": self.name,
        }


def _make_sentence_encoder(sentence_encoder, cell_type, units, recurrent_dropout):
    name = "previous_sentence_encoder"
    if sentence_encoder == "rnn":
        return RecurrentStack(cell_type, units, 1, recurrent_dropout, name=name)
    if sentence_encoder == "cnn":
        return ConvolutionalSentenceEncoder(cell_type, units, name=name)
    raise InputError(f"sentence_encoder is {sentence_encoder!r}; it must be 'rnn' or 'cnn'.")
