"""The model with attention: each word looks back at the previous sentence or at the photos."""

import keras
from keras import layers

from data_reader.errors import InputError
from models.attention_layers import AttentionDecoder
from models.layers import FeatureStandardisation, ImageGrouping
from models.recurrent import RecurrentStack
from models.story_model import StoryModel, make_word_embedding


@keras.saving.register_keras_serializable("stories")
class AttentionEncoderDecoder(StoryModel):
    """An encoder-decoder whose last decoder layer attends.

    An image-sequence encoder reads the current photo and the few before it; its final state is
    the first state of the decoder, which writes the current sentence.  At each word the decoder's
    last layer attends to what an encoder said at each word of the previous sentence, or at each
    photo of the window.  See `models.attention_layers`.

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
        image_encoder_latent_dim: units of the image-sequence encoder and of the decoder.
        sentence_encoder_latent_dim: units of the previous-sentence encoder, the same number.
        attention: "dot", "general", "concat" (Luong) or "bahdanau".
        attend_to: "previous_sentence", or "images"; then there is no previous-sentence encoder
            and `sentence_encoder_latent_dim` has no meaning.
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
        attention="general",
        attend_to="previous_sentence",
        word_embedding_size=300,
        word_embeddings=None,
        train_word_embeddings=None,
        input_dropout=0.35,
        recurrent_dropout=0.0,
        standardise_features=True,
        name="attention_encoder_decoder",
    ):
        if train_word_embeddings is None:
            train_word_embeddings = word_embeddings is None
        _check_attention(attend_to, image_encoder_latent_dim, sentence_encoder_latent_dim)

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
        self.previous_sentence_encoder = None
        if attend_to == "previous_sentence":
            self.previous_sentence_encoder = RecurrentStack(
                cell_type,
                sentence_encoder_latent_dim,
                1,
                recurrent_dropout,
                name="previous_sentence_encoder",
            )
        self.decoder = AttentionDecoder(
            attention,
            cell_type,
            image_encoder_latent_dim,
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
        self.attention = attention
        self.attend_to = attend_to
        self.word_embedding_size = word_embedding_size
        self.train_word_embeddings = train_word_embeddings
        self.input_dropout = input_dropout
        self.recurrent_dropout = recurrent_dropout
        self.standardise_features = standardise_features

    def encode_windows(self, windows, is_photo):
        """As all models; to attend to images also the encoder's outputs and where photos stand."""
        outputs, state = self.image_sequence_encoder(windows, mask=is_photo)
        return state[-1] if self.previous_sentence_encoder else [*state[-1], outputs, is_photo]

    def decode(self, words, is_word, start):
        return self.decoder(self.word_embedding(words), mask=is_word, **start)

    def attend(self, words, is_word, start):
        """As `decode` -> outputs [N, T - 1, U] and the attention's weights [N, T - 1, S]."""
        return self.decoder.attend(self.word_embedding(words), mask=is_word, **start)

    def decoder_start(self, image_state, previous_vectors, is_previous_word):
        if self.previous_sentence_encoder:
            memory, _ = self.previous_sentence_encoder(previous_vectors, mask=is_previous_word)
            is_memory = is_previous_word
        else:
            *image_state, memory, is_memory = image_state
        return {"initial_state": image_state, "memory": memory, "is_memory": is_memory}

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
            "attention": self.attention,
            "attend_to": self.attend_to,
            "word_embedding_size": self.word_embedding_size,
            "train_word_embeddings": self.train_word_embeddings,
            "input_dropout": self.input_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "standardise_features": self.standardise_features,
            "name": self.name,
        }


def _check_attention(attend_to, image_encoder_latent_dim, sentence_encoder_latent_dim):
    if attend_to not in ("previous_sentence", "images"):
        raise InputError(f"attend_to is {attend_to!r}; it must be 'previous_sentence' or 'images'.")
    if attend_to == "previous_sentence" and image_encoder_latent_dim != sentence_encoder_latent_dim:
        raise InputError(
            f"image_encoder_latent_dim is {image_encoder_latent_dim}, sentence_encoder_latent_dim "
            f"{sentence_encoder_latent_dim}; to attend to the previous sentence they must be equal."
        )
