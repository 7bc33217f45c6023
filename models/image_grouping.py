"""The proposed model: image grouping and the previous sentence start the decoder."""

import keras
from keras import layers

from data_reader.errors import InputError
from models.sentence_encoder import ConvolutionalSentenceEncoder
from models.story_model import StoryModel


@keras.saving.register_keras_serializable("stories")
class ImageGroupingModel(StoryModel):
    """Smilevski, Lalkovski, Madjarov 2018, section 3.

    A previous-sentence encoder reads the sentence before; its final state and that of the
    image-sequence encoder, concatenated, are the decoder's first state.

    Args, besides those of `StoryModel`:
        sentence_encoder_latent_dim: units of the previous-sentence encoder; the decoder has those
            of both encoders.
        sentence_encoder: "rnn" or "cnn" (`ConvolutionalSentenceEncoder`).
    """

    def __init__(
        self, *shared, sentence_encoder_latent_dim=1024, sentence_encoder="rnn", **shared_settings
    ):
        self.sentence_encoder_latent_dim = sentence_encoder_latent_dim
        self.sentence_encoder = sentence_encoder
        super().__init__(*shared, **shared_settings)

    def make_decoder(self):
        self.previous_sentence_encoder = self._make_sentence_encoder("previous_sentence_encoder")
        self.both_encoders = layers.Concatenate(dtype="float32", name="both_encoders")
        units = self.image_encoder_latent_dim + self.sentence_encoder_latent_dim
        self.decoder = self.recurrent_stack("decoder", units, self.num_layers)

    def _make_sentence_encoder(self, name):
        units = self.sentence_encoder_latent_dim
        if self.sentence_encoder == "rnn":
            return self.recurrent_stack(name, units, num_layers=1)
        if self.sentence_encoder == "cnn":
            states = self.image_sequence_encoder.states_per_layer
            return ConvolutionalSentenceEncoder(states, units, dtype=self.policy, name=name)
        raise InputError(
            f"sentence_encoder is {self.sentence_encoder!r}; it must be 'rnn' or 'cnn'."
        )

    def decoder_start(self, image_state, previous_vectors, previous_mask):
        _, [sentence_state] = self.previous_sentence_encoder(previous_vectors, mask=previous_mask)
        both = zip(image_state, sentence_state, strict=True)
        return {"initial_state": [self.both_encoders(parts) for parts in both]}
