"""A decoder that attends, word by word, to the outputs of an encoder.

Legend of shapes: N sentences, T words, S positions of the memory (what is attended to), F features,
U units of the decoder, M of the memory.  Papers as in `models.attention_scores`.
"""

from functools import partial

import keras
from keras import ops

from data_reader.errors import InputError, check_whole_number
from models.attention_cells import BahdanauCell, InputFeedingCell, LuongCell
from models.attention_scores import AdditiveScore, DotScore, GeneralScore
from models.keras_internals import reset_dropout_masks
from models.packed import pack, packing_plan, unpack
from models.recurrent import RecurrentStack
from models.recurrent_cells import PackedLayer, cell_name, runs_packed

ATTENTIONS = {
    "dot": (LuongCell, DotScore),
    "general": (LuongCell, GeneralScore),
    "concat": (LuongCell, AdditiveScore),
    "bahdanau": (BahdanauCell, AdditiveScore),
}


def _check_attention(attention, attention_feeds):
    if attention not in list(ATTENTIONS):
        raise InputError(f"attention is {attention!r}; there is: {', '.join(ATTENTIONS)}.")
    if attention_feeds not in ("state", "input"):
        raise InputError(f"attention_feeds is {attention_feeds!r}; it must be 'state' or 'input'.")
    if (attention, attention_feeds) == ("bahdanau", "input"):
        raise InputError(
            "attention_feeds is 'input', but with attention 'bahdanau' there is no attentional "
            "state to feed: its context joins the input of the same step. Leave attention_feeds "
            "at 'state', or take 'dot', 'general' or 'concat'."
        )


@keras.saving.register_keras_serializable("stories")
class AttentionDecoder(PackedLayer):
    """Recurrent layers on top of each other, the last of which attends to a memory.

    A state is `[layers, attended]`: one entry per layer as `RecurrentStack` has them (with input
    feeding a single one, of `InputFeedingCell`), and the prepared memory, which stays as it is
    through a sentence.

    Args:
        attention: "dot", "general" or "concat" (`LuongCell`), or "bahdanau" (`BahdanauCell`).
        units: U.
        num_layers: the attending one included.
        cell_type, recurrent_dropout, recurrent_initializer: as those of `RecurrentStack`.
        attention_feeds: where Luong's attentional state goes: "state", it replaces that of its
            layer (`LuongCell`); or "input", it joins the next step's input (`InputFeedingCell`).

    Raises:
        InputError: there is no such attention or cell type, there are no layers, or the attention
            has nothing to feed to the input.
    """

    def __init__(
        self,
        attention,
        units,
        num_layers,
        cell_type="gru",
        recurrent_dropout=0.0,
        recurrent_initializer="orthogonal",
        attention_feeds="state",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        _check_attention(attention, attention_feeds)
        check_whole_number("num_layers", num_layers)
        self.attention = attention
        self.attention_feeds = attention_feeds
        self.cell_type = cell_type
        self.units = units
        self.num_layers = num_layers
        self.recurrent = {
            "recurrent_dropout": recurrent_dropout,
            "recurrent_initializer": recurrent_initializer,
        }
        self._make_layers()

    def _make_layers(self):
        make_attention_cell, score = ATTENTIONS[self.attention]
        lower = self.num_layers - 1
        if self.attention_feeds == "input":
            make_attention_cell, lower = partial(InputFeedingCell, self.num_layers), 0
        options = {**self.recurrent, "dtype": self.policy}
        self.lower_layers = None
        if lower:
            self.lower_layers = RecurrentStack(
                self.cell_type, self.units, lower, name="lower_layers", **options
            )
        score = score(dtype=self.policy, name=f"{self.attention}_score")
        self.attention_cell = make_attention_cell(
            score, self.cell_type, self.units, name="attention", **options
        )

    def build(self, sequences_shape, memory_shape, **_):
        if self.lower_layers:
            self.lower_layers.build(sequences_shape)
            sequences_shape = (*sequences_shape[:-1], self.units)
        self.attention_cell.build((sequences_shape[0], sequences_shape[-1]), memory_shape)

    def call(self, sequences, memory, memory_mask, initial_state, mask=None, training=None):
        """Read whole sentences -> outputs [N, T, U].

        Args:
            sequences: float32 [N, T, F].
            memory: float32 [N, S, M].
            memory_mask: bool [N, S], False at the memory's padding.
            initial_state: of the first layer; the others start at zero.
            mask: bool [N, T], False at the sequences' padding, where outputs have no meaning.
        """
        sequences, state, attended = self._below(
            sequences, memory, memory_mask, initial_state, mask, training
        )
        cell = self.attention_cell
        if not runs_packed(cell.cell, mask, training, cell.score):
            return self._step_by_step(sequences, state, attended)[0]
        plan = packing_plan(mask)
        return unpack(cell.read_packed(pack(sequences, plan), state, attended, plan), plan)

    def attend(self, sequences, memory, memory_mask, initial_state, mask=None):
        """As `call` -> outputs [N, T, U] and the attention weights [N, T, S]."""
        below = self._below(sequences, memory, memory_mask, initial_state, mask, training=False)
        return self._step_by_step(*below)

    def _below(self, sequences, memory, memory_mask, initial_state, mask, training):
        """-> the attending layer's inputs [N, T, ...], its first state, the attended parts."""
        [*_, state], attended = self.start(initial_state, memory, memory_mask)
        if self.lower_layers:
            sequences, _ = self.lower_layers(
                sequences, mask=mask, initial_state=initial_state, training=training
            )
        return sequences, state, attended

    def _step_by_step(self, sequences, state, attended):
        reset_dropout_masks(self.attention_cell.cells)
        outputs, all_weights = [], []
        # A sentence's padding stands at its end: no state after it is wanted.
        for position in range(sequences.shape[1]):
            output, state, weights = self.attention_cell.step(
                sequences[:, position], state, attended
            )
            outputs.append(output)
            all_weights.append(weights)
        reset_dropout_masks(self.attention_cell.cells)
        return ops.stack(outputs, axis=1), ops.stack(all_weights, axis=1)

    def compute_output_spec(self, sequences, *_, **__):
        rows, steps, _ = sequences.shape
        return keras.KerasTensor((rows, steps, self.units), self.compute_dtype)

    def start(self, initial_state, memory, memory_mask):
        """The state before the first word; arguments as those of `call`."""
        cell, states = self.attention_cell, _states_of_layers(initial_state, self.num_layers)
        lower = self.num_layers - len(cell.cells)
        return [
            [*states[:lower], cell.start(states[lower:])],
            cell.prepare(memory, memory_mask),
        ]

    def make_step(self):
        """As `RecurrentStack.make_step`; the attending cell computes in its weights' precision."""
        lower_step = self.lower_layers.make_step() if self.lower_layers else None

        def step(inputs, state):
            [*lower, attending], attended = state
            if lower_step:
                inputs, lower = lower_step(inputs, lower)
            output, attending, _ = self.attention_cell.step(inputs, attending, attended)
            attending = keras.tree.map_structure(lambda p: ops.cast(p, "float32"), attending)
            return output, [[*lower, attending], attended]

        return step

    def get_config(self):
        return {
            **super().get_config(),
            **self.recurrent,
            "attention": self.attention,
            "cell_type": cell_name(self.cell_type),
            "units": self.units,
            "num_layers": self.num_layers,
            "attention_feeds": self.attention_feeds,
        }


def _states_of_layers(initial_state, num_layers):
    """The state of the first of some layers -> float32 states of all; the others are zero."""
    initial_state = [ops.cast(part, "float32") for part in initial_state]
    zero = [ops.zeros_like(part) for part in initial_state]
    return [initial_state] + [zero] * (num_layers - 1)
