"""Writing a sentence word by word over a decoder step; knows no model.

A step is a function `(words int32 [N], state) -> (logits [N, V], state)`.
"""

from keras import ops

from data_reader.vocabulary import END, MAX_WORDS, NULL, START

_NEVER_SAID = (NULL, START)


def greedy(step, state, sentences, max_words=MAX_WORDS):
    """Take the likeliest word at each step.

    Args:
        step: the decoder step.
        state: its state before the first word, any nest of tensors [N, ...].
        sentences: N.
        max_words: words after which a sentence ends whether it wants to or not.

    Returns:
        int32 [N, max_words + 2], rows <START> words <END> padded with <NULL>: each one has its
        <END>, also where the decoder did not come to say it.
    """

    def goes_on(position, rows, ended, words, state):
        return ops.logical_and(position <= max_words, ops.logical_not(ops.all(ended)))

    def write_word(position, rows, ended, words, state):
        logits, state = step(words, state)
        words = ops.cast(ops.argmax(_without(logits, _NEVER_SAID), axis=-1), "int32")
        words = ops.where(ended, NULL, words)
        rows = ops.where(columns == position, words[:, None], rows)
        return position + 1, rows, ops.logical_or(ended, words == END), words, state

    columns = ops.arange(max_words + 2)[None, :]
    start = ops.full((sentences,), START, dtype="int32")
    rows = ops.where(columns == 0, start[:, None], NULL)
    ended = ops.zeros((sentences,), dtype="bool")
    position, rows, ended, *_ = ops.while_loop(
        goes_on, write_word, (ops.convert_to_tensor(1), rows, ended, start, state)
    )
    stopped = ops.logical_not(ended)[:, None]
    return ops.where(ops.logical_and(stopped, columns == position), END, rows)


def _without(logits, words):
    """Logits in which these words are impossible."""
    vocabulary = ops.arange(ops.shape(logits)[-1])
    banned = ops.any([vocabulary == word for word in words], axis=0)
    return ops.where(banned, float("-inf"), logits)
