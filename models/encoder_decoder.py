"""The plain model: an image-sequence encoder starts a decoder."""

import keras

from models.story_model import StoryModel


@keras.saving.register_keras_serializable("stories")
class EncoderDecoder(StoryModel):
    """Sutskever, Vinyals, Le 2014, from photos to words.

    The image-sequence encoder's final state is the decoder's first state; a sentence does not
    depend on earlier sentences.  Arguments: those of `StoryModel`.
    """

    def make_decoder(self):
        self.decoder = self.recurrent_stack(
            "decoder", self.image_encoder_latent_dim, self.num_layers
        )

    def decoder_start(self, image_state, previous_vectors, previous_mask):
        return {"initial_state": image_state}
