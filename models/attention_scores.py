"""Scores of a decoder's state with what it attends to.

Legend of shapes: N sentences, S positions of the memory (what is attended to), U units of the
decoder, M of the memory.

    Luong, Pham, Manning 2015, Effective Approaches to Attention-based Neural Machine Translation
    Bahdanau, Cho, Bengio 2015, Neural Machine Translation by Jointly Learning to Align and
    Translate
"""

import keras
from keras import ops

from data_reader.errors import InputError
from models.recurrent_cells import PackedLayer


@keras.saving.register_keras_serializable("stories")
class DotScore(PackedLayer):
    """score(h, s) = h . s, so that M = U.  Luong et al., equation 8.

    Raises:
        InputError: M is not U.
    """

    is_product = True

    def build(self, query_shape, memory_shape):
        if query_shape[-1] != memory_shape[-1]:
            raise InputError(
                f"The dot score needs a decoder and a memory of one size, the decoder has "
                f"{query_shape[-1]} units, the memory {memory_shape[-1]}; take 'general'."
            )

    def keys(self, memory):
        """The memory as `call` takes it; computed once per sentence."""
        return memory

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        return ops.einsum("nu,nsu->ns", query, keys)


@keras.saving.register_keras_serializable("stories")
class GeneralScore(PackedLayer):
    """score(h, s) = h W_a s with W_a [U, M].  Luong et al., equation 8."""

    is_product = True

    def build(self, query_shape, memory_shape):
        self.kernel = self.add_weight(name="kernel", shape=(query_shape[-1], memory_shape[-1]))

    def keys(self, memory):
        """W_a s, [N, S, U]."""
        return ops.einsum("nsm,um->nsu", memory, self.kernel)

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        return ops.einsum("nu,nsu->ns", query, keys)


@keras.saving.register_keras_serializable("stories")
class AdditiveScore(PackedLayer):
    """score(h, s) = v . tanh(W_h h + W_s s) with W_h [U, U], W_s [M, U], v [U].

    Bahdanau et al., section 3.1; W_h and W_s side by side are the W_a of Luong's `concat`,
    v . tanh(W_a [h; s]), equation 8.
    """

    is_product = False

    def build(self, query_shape, memory_shape):
        units = query_shape[-1]
        self.query_kernel = self.add_weight(name="query_kernel", shape=(units, units))
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(memory_shape[-1], units))
        self.v = self.add_weight(name="v", shape=(units,), initializer="random_uniform")

    def keys(self, memory):
        """W_s s, [N, S, U]."""
        return ops.matmul(memory, self.memory_kernel)

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        both = ops.tanh(ops.matmul(query, self.query_kernel)[:, None] + keys)
        return ops.einsum("nsu,u->ns", both, self.v)
