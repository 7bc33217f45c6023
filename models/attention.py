"""The model with attention: each word attends to the previous sentence or to the photos."""

import keras

from data_reader.errors import InputError
from models.attention_layers import AttentionDecoder
from models.story_model import StoryModel


@keras.saving.register_keras_serializable("stories")
class AttentionEncoderDecoder(StoryModel):
    """An encoder-decoder whose last decoder layer attends, see `models.attention_layers`.

    The image-sequence encoder's final state is the decoder's first state.

    Args, besides those of `StoryModel`:
        attention: "dot", "general", "concat" (Luong) or "bahdanau".
        attend_to: "previous_sentence", the outputs of an encoder of its words; or "images", those
            of the image-sequence encoder; then there is no previous-sentence encoder.
        attention_feeds: "state" or "input" (Luong's input feeding), see `AttentionDecoder`.
        sentence_encoder_latent_dim: with such an encoder, equal to `image_encoder_latent_dim`.
    """

    def __init__(
        self,
        *shared,
        sentence_encoder_latent_dim=1024,
        attention="general",
        attend_to="previous_sentence",
        attention_feeds="state",
        **shared_settings,
    ):
        self.sentence_encoder_latent_dim = sentence_encoder_latent_dim
        self.attention = attention
        self.attend_to = attend_to
        self.attention_feeds = attention_feeds
        super().__init__(*shared, **shared_settings)

    def make_decoder(self):
        units, sentence_units = self.image_encoder_latent_dim, self.sentence_encoder_latent_dim
        if self.attend_to == "previous_sentence":
            if units != sentence_units:
                raise InputError(
                    f"image_encoder_latent_dim is {units}, sentence_encoder_latent_dim "
                    f"{sentence_units}; to attend to the previous sentence they must be equal."
                )
            name = "previous_sentence_encoder"
            self.previous_sentence_encoder = self.recurrent_stack(name, units, num_layers=1)
        elif self.attend_to != "images":
            raise InputError(
                f"attend_to is {self.attend_to!r}; it must be 'previous_sentence' or 'images'."
            )
        options = self.recurrent_options | {"attention_feeds": self.attention_feeds}
        self.decoder = AttentionDecoder(
            self.attention, units, self.num_layers, name="decoder", **options
        )

    def encode_windows(self, windows, window_mask):
        outputs, state = self.image_sequence_encoder(windows, mask=window_mask)
        return state[-1] if self.previous_sentence_encoder else [*state[-1], outputs, window_mask]

    def decode(self, words, word_mask, start):
        return self.decoder(self.word_embedding(words), mask=word_mask, **start)

    def attend(self, words, word_mask, start):
        """As `decode` -> outputs and the attention weights [N, T - 1, S]."""
        return self.decoder.attend(self.word_embedding(words), mask=word_mask, **start)

    def decoder_start(self, image_state, previous_vectors, previous_mask):
        if self.previous_sentence_encoder:
            memory, _ = self.previous_sentence_encoder(previous_vectors, mask=previous_mask)
            return {"initial_state": image_state, "memory": memory, "memory_mask": previous_mask}
        *image_state, memory, mask = image_state
        return {"initial_state": image_state, "memory": memory, "memory_mask": mask}
