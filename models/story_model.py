"""The base of all models: their shared layers, arguments and config, and how a story is generated.

Legend of shapes as in `models.layers`.
"""

import inspect
import re

import keras
import numpy as np
from keras import layers, ops

from data_reader.errors import InputError, check_flag, check_number, check_whole_number
from data_reader.vocabulary import NULL, ROW_LENGTH, SPECIAL_WORDS
from models.layers import (
    DecoderInputs,
    FeatureStandardisation,
    GatherNonPadding,
    ImageGrouping,
    PaddingMask,
    PreviousSentences,
)
from models.packed import Weights
from models.recurrent import RecurrentStack
from models.recurrent_cells import cell_name

_FROM_THE_DATA = ("vocabulary_size", "feature_size", "word_embeddings")
_OF_KERAS = ("dtype", "trainable", "name")
# Sizes that are no mistake; beyond them even the graph of a model takes all time or memory.
_LARGEST_SIZE = 2**31 - 1
_LARGEST = {"num_layers": 100, "image_group_size": 100}


class StoryModel(keras.Model):
    """A Keras functional model of whole stories, and three views on its layers.

    An image-sequence encoder reads the current photo and the few before it, and a decoder writes
    the current sentence.  Training calls the model itself.  Generation calls `encode_images` once
    per story, `start_sentence` once per sentence and the function from `make_decode_step` once per
    word.

    A model is a subclass that makes its decoder in `make_decoder` and says in `decoder_start` how
    a sentence begins.  An argument of its own is an attribute of the same name, set before
    `super().__init__(...)` is called; configs, saved files and experiments follow from that.  See
    docs/extending.md.

    Inputs, a dictionary:
        image_features: float32 [B, I, F].
        sentences: int32 [B, I, T], rows <START> words <END> padded with <NULL>.
    Output: logits [W, V] of the words (and <END>s) to be generated, in reading order.

    Args:
        vocabulary_size: V, the four special words included.
        feature_size: F.
        image_group_size: photos that a sentence sees, the current one included.
        reverse: feed each window backwards.
        cell_type: "gru", "lstm", "simple_rnn" or a Keras RNN cell class, see
            `models.recurrent_cells.cell_class`.
        num_layers: recurrent layers of the image-sequence encoder and of the decoder.
        image_encoder_latent_dim: units of the image-sequence encoder.
        word_embedding_size: E; one embedding serves encoders and decoder.
        word_embeddings: [V, E], initial word vectors; they are weights, not part of the config.
        train_word_embeddings: whether the word vectors are trained; by default only if none were
            given.
        input_dropout: of the image features and before the softmax.
        recurrent_dropout: of all recurrent layers.
        recurrent_initializer: of all recurrent kernels.
        standardise_features: see `FeatureStandardisation`.
        dtype: Keras's dtype policy of all layers: "float32", "mixed_bfloat16" or "mixed_float16".
        trainable: False freezes all weights.
        name: by default the class's, in lower case.

    Raises:
        InputError: an argument is out of range; the message names it.
    """

    # What `generation.attribution` looks at; a model that has them sets them.
    attend_to = None
    previous_sentence_encoder = None

    def __init__(
        self,
        vocabulary_size,
        feature_size=4096,
        *,
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
        recurrent_initializer="orthogonal",
        standardise_features=True,
        dtype=None,
        trainable=True,
        name=None,
    ):
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
        self.recurrent_initializer = recurrent_initializer
        self.standardise_features = standardise_features
        self._check_settings(trainable, name)
        self._make_layers(word_embeddings, keras.dtype_policies.get(dtype))
        super().__init__(**self._connect(), name=name or _snake_case(type(self)))
        if not trainable:  # True would also train what is frozen on purpose
            self.trainable = False

    def _check_settings(self, trainable, name):
        self._check_by_defaults()
        for size, smallest in (("vocabulary_size", len(SPECIAL_WORDS)), ("feature_size", 1)):
            check_whole_number(size, getattr(self, size), smallest, _LARGEST_SIZE)
        for rate in ("input_dropout", "recurrent_dropout"):
            check_number(rate, getattr(self, rate), "from 0 to below 1", lambda x: 0 <= x < 1)
        if self.train_word_embeddings is not None:
            check_flag("train_word_embeddings", self.train_word_embeddings)
        check_flag("trainable", trainable)
        if not isinstance(name, str | None):
            raise InputError(f"name is {name!r}; it must be text.")
        if not _is_initializer(self.recurrent_initializer):
            raise InputError(
                f"recurrent_initializer is {self.recurrent_initializer!r}; it must be the name of "
                "one of keras.initializers, such as 'orthogonal'."
            )

    def _check_by_defaults(self):
        for name, default in settings_of(type(self)).items():
            if not hasattr(self, name):
                raise AttributeError(
                    f"{type(self).__name__} must set self.{name} before it calls "
                    "super().__init__(...): its config is made of its arguments' attributes."
                )
            if isinstance(default, bool):
                check_flag(name, getattr(self, name))
            elif isinstance(default, int):
                largest = _LARGEST.get(name, _LARGEST_SIZE)
                check_whole_number(name, getattr(self, name), largest=largest)

    def _make_layers(self, word_embeddings, policy):
        self.policy = policy
        self.feature_standardisation = None
        if self.standardise_features:
            self.feature_standardisation = FeatureStandardisation(name="feature_standardisation")
        self.image_dropout = layers.Dropout(self.input_dropout, dtype=policy, name="image_dropout")
        self.image_grouping = ImageGrouping(
            self.image_group_size, self.reverse, dtype=policy, name="image_grouping"
        )
        self.image_sequence_encoder = self.recurrent_stack(
            "image_sequence_encoder", self.image_encoder_latent_dim, self.num_layers
        )
        self.word_embedding = self._make_word_embedding(word_embeddings)
        self.make_decoder()
        self.softmax_dropout = layers.Dropout(
            self.input_dropout, dtype=policy, name="softmax_dropout"
        )
        self.next_word_logits = layers.Dense(
            self.vocabulary_size, dtype=policy, name="next_word_logits"
        )

    def recurrent_stack(self, name, units, num_layers):
        """A `RecurrentStack` of the model's cells."""
        return RecurrentStack(
            units=units, num_layers=num_layers, name=name, **self.recurrent_options
        )

    @property
    def recurrent_options(self):
        """The arguments that all recurrent layers of the model share."""
        return {
            "cell_type": self.cell_type,
            "recurrent_dropout": self.recurrent_dropout,
            "recurrent_initializer": self.recurrent_initializer,
            "dtype": self.policy,
        }

    def _make_word_embedding(self, matrix):
        if self.train_word_embeddings is None:
            self.train_word_embeddings = matrix is None
        shape = (self.vocabulary_size, self.word_embedding_size)
        layer = layers.Embedding(
            *shape, trainable=self.train_word_embeddings, dtype=self.policy, name="word_embedding"
        )
        if matrix is not None:
            if np.shape(matrix) != shape:
                raise InputError(
                    f"word_embeddings are {' x '.join(map(str, np.shape(matrix)))}; "
                    f"vocabulary_size and word_embedding_size make it {shape[0]} x {shape[1]}."
                )
            layer.build()
            layer.set_weights([matrix])
        return layer

    def _connect(self):
        """The training graph -> its `inputs` by name and its `outputs`, logits [W, V]."""
        image_features = keras.Input((None, self.feature_size), name="image_features")
        sentences = keras.Input((None, ROW_LENGTH), dtype="int32", name="sentences")
        policy = self.policy
        previous = PreviousSentences(dtype=policy, name="previous_sentences")(sentences)
        start = self.decoder_start(
            self.encode_windows(*self.image_windows(image_features)),
            self.word_embedding(previous),
            PaddingMask(dtype=policy, name="previous_mask")(previous),
        )
        words = DecoderInputs(dtype=policy, name="decoder_inputs")(sentences)
        outputs = self.decode(words, PaddingMask(dtype=policy, name="word_mask")(words), start)
        outputs = GatherNonPadding(dtype=policy, name="gather_non_padding")(outputs, sentences)
        logits = self.next_word_logits(self.softmax_dropout(outputs))
        inputs = {"image_features": image_features, "sentences": sentences}
        return {"inputs": inputs, "outputs": logits}

    def make_decoder(self):
        """Make `self.decoder`, and all other layers that are this model's own.

        A decoder is a layer with the methods `call`, `start` and `make_step` of `RecurrentStack`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define make_decoder.")

    def decoder_start(self, image_state, previous_vectors, previous_mask):
        """The decoder's arguments besides the words, as a dictionary: how a sentence begins.

        Args:
            image_state: from `encode_windows`, [N, ...] each.
            previous_vectors: the previous sentences' word vectors [N, T, E].
            previous_mask: bool [N, T], False at their padding.
        """
        raise NotImplementedError(f"{type(self).__name__} must define decoder_start.")

    def image_windows(self, image_features):
        """[B, I, F] -> each image's window [N, K, F], standardised, and its padding mask [N, K].

        Dropout takes the same features of a photo away in each window that it stands in.
        """
        if self.feature_standardisation is not None:
            image_features = self.feature_standardisation(image_features)
        return self.image_grouping(self.image_dropout(image_features))

    def encode_windows(self, windows, window_mask):
        """Windows and their padding mask -> the last layer's state, a list of [N, U]."""
        _, state = self.image_sequence_encoder(windows, mask=window_mask)
        return state[-1]

    def decode(self, words, word_mask, start):
        """Whole sentences [N, T - 1] from their `decoder_start` -> outputs [N, T - 1, U]."""
        outputs, _ = self.decoder(self.word_embedding(words), mask=word_mask, **start)
        return outputs

    def encode_images(self, image_features):
        """float32 [B, I, F] -> the states of all images for `start_sentence`, [B, I, ...] each."""
        stories = ops.shape(image_features)[:2]
        return [
            ops.reshape(part, (*stories, *part.shape[1:]))
            for part in self.encode_windows(*self.image_windows(image_features))
        ]

    def start_sentence(self, image_state, previous_sentences):
        """The state before the first word.

        Args:
            image_state: from `encode_images`, of each sentence's image: a list of [N, ...].
            previous_sentences: int32 [N, T], rows <START> words <END>, or <START> alone.
        """
        vectors = self.word_embedding(previous_sentences)
        start = self.decoder_start(image_state, vectors, previous_sentences != NULL)
        return self.decoder.start(**start)

    def make_decode_step(self):
        """-> a function of the words just written, int32 [N], and a state.

        It gives logits [N, V] of the next words, and the next state.  The work that many steps
        share is done once.
        """
        decoder_step, logits_of = self.decoder.make_step(), self.make_logits()
        embedding = self.word_embedding  # which itself would cast all vectors at each step

        def next_word(words, state):
            vectors = ops.take(embedding.embeddings, words, axis=0)
            output, state = decoder_step(ops.cast(vectors, embedding.compute_dtype), state)
            return logits_of(output), state

        return next_word

    def make_logits(self):
        """-> a function of a step's outputs [N, U] that gives logits [N, V]."""
        dense = self.next_word_logits
        kernel = Weights(dense.kernel, dense.compute_dtype)
        return lambda outputs: kernel.times(outputs) + dense.bias

    def get_config(self):
        kept = [name for name in arguments_of(type(self)) if name not in _OF_KERAS]
        config = {name: getattr(self, name) for name in kept if name != "word_embeddings"}
        return config | {
            "cell_type": cell_name(self.cell_type),
            "dtype": self.policy.name,
            "trainable": self.trainable,
            "name": self.name,
        }


def arguments_of(model_class):
    """`{name: default}` of a model's arguments, those that all models share first."""
    found = {}
    for owner in reversed(model_class.__mro__):
        if issubclass(owner, StoryModel) and "__init__" in vars(owner):
            parameters = inspect.signature(owner.__init__).parameters.values()
            named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
            found |= {p.name: p.default for p in named[1:]}
    return found


def settings_of(model_class):
    """The arguments that an experiment may set: those neither from the data nor Keras's own."""
    others = (*_FROM_THE_DATA, *_OF_KERAS)
    return {n: default for n, default in arguments_of(model_class).items() if n not in others}


def _is_initializer(name):
    """Whether it names one; none is made, which would draw a seed."""
    found = getattr(keras.initializers, str(name), None)
    others = (keras.initializers.Initializer, keras.initializers.STFT)  # of no kernel
    is_one = isinstance(found, type) and issubclass(found, keras.initializers.Initializer)
    return isinstance(name, str) and is_one and found not in others


def _snake_case(chosen):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", chosen.__name__).lower()
