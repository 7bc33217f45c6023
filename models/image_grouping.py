"""The proposed model: image grouping and the previous sentence start the decoder."""

import keras
from keras import layers

from models.layers import (
    NULL,
    ROW_LENGTH,
    DecoderInputs,
    FeatureStandardisation,
    ImageGrouping,
    PreviousSentences,
    RecurrentStack,
    SentencesToStories,
    StoriesToSentences,
)


@keras.saving.register_keras_serializable("stories")
class ImageGroupingModel(keras.Model):
    """Smilevski, Lalkovski, Madjarov 2018, section 3.

    An image-sequence encoder reads the current photo and the few before it, a previous-sentence
    encoder reads the sentence before; both final states together are the first state of the
    decoder, which writes the current sentence.

    Inputs, a dictionary:
        image_features: float32 [B, I, F].
        sentences: int32 [B, I, T], rows <START> words <END> padded with <NULL>.
    Output: logits [B, I, T - 1, V] of the words after each word.

    Telling a story goes through three other views of the same layers: `encode_images` once,
    then `start_sentence` for each sentence and `next_word` for each word.

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
        word_embedding_size: one embedding serves both the encoder and the decoder.
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
        word_embedding_size=300,
        input_dropout=0.35,
        recurrent_dropout=0.0,
        standardise_features=True,
        name="image_grouping_model",
    ):
        # === Layers ===
        self.feature_standardisation = (
            FeatureStandardisation(name="feature_standardisation") if standardise_features else None
        )
        self.image_grouping = ImageGrouping(image_group_size, reverse, name="image_grouping")
        self.image_dropout = layers.Dropout(input_dropout, name="image_dropout")
        self.image_sequence_encoder = RecurrentStack(
            cell_type,
            image_encoder_latent_dim,
            num_layers,
            recurrent_dropout,
            name="image_sequence_encoder",
        )
        self.word_embedding = layers.Embedding(
            vocabulary_size, word_embedding_size, name="word_embedding"
        )
        self.previous_sentence_encoder = RecurrentStack(
            cell_type,
            sentence_encoder_latent_dim,
            1,
            recurrent_dropout,
            name="previous_sentence_encoder",
        )
        self.both_encoders = layers.Concatenate(name="both_encoders")
        self.decoder = RecurrentStack(
            cell_type,
            image_encoder_latent_dim + sentence_encoder_latent_dim,
            num_layers,
            recurrent_dropout,
            name="decoder",
        )
        self.softmax_dropout = layers.Dropout(input_dropout, name="softmax_dropout")
        self.next_word_logits = layers.Dense(vocabulary_size, name="next_word_logits")
        self.to_sentences = StoriesToSentences(name="stories_to_sentences")
        self.to_stories = SentencesToStories(name="sentences_to_stories")

        # === Graph ===
        image_features = keras.Input((None, feature_size), name="image_features")
        sentences = keras.Input((None, ROW_LENGTH), dtype="int32", name="sentences")
        previous = PreviousSentences(name="previous_sentences")(sentences)
        start = self.start_sentence(
            self._encode_windows(image_features), self.to_sentences(previous)
        )
        words = self.to_sentences(DecoderInputs(name="decoder_inputs")(sentences))
        outputs, _ = self.decoder(
            self.word_embedding(words), mask=words != NULL, initial_state=start[0]
        )
        logits = self.next_word_logits(self.softmax_dropout(outputs))
        super().__init__(
            inputs={"image_features": image_features, "sentences": sentences},
            outputs=self.to_stories(logits, sentences),
            name=name,
        )

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.feature_size = feature_size
        self.image_group_size = image_group_size
        self.reverse = reverse
        self.cell_type = cell_type
        self.num_layers = num_layers
        self.image_encoder_latent_dim = image_encoder_latent_dim
        self.sentence_encoder_latent_dim = sentence_encoder_latent_dim
        self.word_embedding_size = word_embedding_size
        self.input_dropout = input_dropout
        self.recurrent_dropout = recurrent_dropout
        self.standardise_features = standardise_features

    def encode_images(self, image_features):
        """float32 [B, I, F] -> the image-sequence encoder's state for each image, [B, I, U]s."""
        return [
            self.to_stories(part, image_features) for part in self._encode_windows(image_features)
        ]

    def start_sentence(self, image_state, previous_sentences):
        """The decoder's state before the first word.

        Args:
            image_state: what `encode_images` says of each sentence's image, [N, U]s.
            previous_sentences: int32 [N, T], rows <START> words <END>, or <START> alone.
        """
        _, [sentence_state] = self.previous_sentence_encoder(
            self.word_embedding(previous_sentences), mask=previous_sentences != NULL
        )
        both = [
            self.both_encoders(parts) for parts in zip(image_state, sentence_state, strict=True)
        ]
        return self.decoder.full_state(both)

    def next_word(self, words, state):
        """The words just written, int32 [N] -> logits [N, V] of the words after them, state."""
        output, state = self.decoder.step(self.word_embedding(words), state)
        return self.next_word_logits(output), state

    def _encode_windows(self, image_features):
        """[B, I, F] -> the state of the last layer, [N, U]s."""
        if self.feature_standardisation is not None:
            image_features = self.feature_standardisation(image_features)
        windows, is_photo = self.image_grouping(image_features)
        windows, is_photo = self.to_sentences(windows), self.to_sentences(is_photo)
        _, state = self.image_sequence_encoder(self.image_dropout(windows), mask=is_photo)
        return state[-1]

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
            "word_embedding_size": self.word_embedding_size,
            "input_dropout": self.input_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "standardise_features": self.standardise_features,
            "name": self.name,
        }
