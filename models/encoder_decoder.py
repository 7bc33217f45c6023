"""The plain model: an image-sequence encoder starts a decoder."""

import keras
from keras import layers

from models.layers import FeatureStandardisation, ImageGrouping
from models.recurrent import RecurrentStack
from models.story_model import StoryModel, make_word_embedding


@keras.saving.register_keras_serializable("stories")
class EncoderDecoder(StoryModel):
    """Sutskever, Vinyals, Le 2014, from photos to words.

    An image-sequence encoder reads the current photo and the few before it; its final state is
    the first state of the decoder, which writes the current sentence.  Earlier sentences are not
    looked at.

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
        num_layers: recurrent layers of the encoder and of the decoder.
        image_encoder_latent_dim: units of the encoder and of the decoder.
        word_embedding_size: E.
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
        word_embedding_size=300,
        word_embeddings=None,
        train_word_embeddings=None,
        input_dropout=0.35,
        recurrent_dropout=0.0,
        standardise_features=True,
        name="encoder_decoder",
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
        self.decoder = RecurrentStack(
            cell_type, image_encoder_latent_dim, num_layers, recurrent_dropout, name="decoder"
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
        self.word_embedding_size = word_embedding_size
        self.train_word_embeddings = train_word_embeddings
        self.input_dropout = input_dropout
        self.recurrent_dropout = recurrent_dropout
        self.standardise_features = standardise_features

    def decoder_start(self, image_state, previous_vectors, is_previous_word):
        return {"initial_state": image_state}

    def get_config(self):
        return {
            "vocabulary_size": self.vocabulary_size,
            "feature_size": self.feature_size,
            "image_group_size": self.image_group_size,
            "reverse": self.reverse,
            "cell_type": self.cell_type,
            "num_layers": self.num_layers,
            "image_encoder_latent_dim": self.image_encoder_latent_dim,
            "word_embedding_size": self.word_embedding_size,
            "train_word_embeddings": self.train_word_embeddings,
            "input_dropout": self.input_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "standardise_features": self.standardise_features,
            "name": self.name,
        }
