"""The models' equations in NumPy, float64, one sentence and one word after the other.

Written from the papers, for tests to compare the models with; it knows nothing of Keras or of
this project's code. Without dropout.

Legend of shapes: B stories, I images of a story, K images of a window, T words of a row,
S positions of an attended memory, F feature size, E word embedding size, U units, A units of an
attention's score, V vocabulary, W real target words of a batch.

Weights are nested dictionaries of arrays:
    feature_standardisation: mean [F], scale [F]; or None.
    image_encoder, decoder: lists of recurrent layers, the lowest first.
    sentence_encoder: a recurrent layer, a convolutional encoder (`convolutional_state`), or None.
    attention: the attention layer on top of the decoder (`luong_layer`, `bahdanau_layer`).
    word_embedding [V, E].
    logits: kernel [U, V], bias [V].
A recurrent layer has kernel [F, 3U], recurrent_kernel [U, 3U], bias [2, 3U] as a GRU, and
kernel [F, 4U], recurrent_kernel [U, 4U], bias [4U] as an LSTM. A state is [h] of a GRU, [h, c] of
an LSTM, each [U].
"""

import numpy as np

NULL, START, END = 0, 1, 2
STATE_PARTS = {"gru": 1, "lstm": 2}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


# === Recurrence ===


def gru_step(layer, x, state):
    """x [F], state -> state. Cho et al. 2014, with the reset gate after the multiplication."""
    [h] = state
    x_update, x_reset, x_new = np.split(x @ layer["kernel"] + layer["bias"][0], 3)
    h_update, h_reset, h_new = np.split(h @ layer["recurrent_kernel"] + layer["bias"][1], 3)
    update = sigmoid(x_update + h_update)
    reset = sigmoid(x_reset + h_reset)
    new = np.tanh(x_new + reset * h_new)
    return [update * h + (1 - update) * new]


def lstm_step(layer, x, state):
    """x [F], state -> state. Hochreiter and Schmidhuber 1997, with a forget gate."""
    h, c = state
    gates = x @ layer["kernel"] + h @ layer["recurrent_kernel"] + layer["bias"]
    input_gate, forget_gate, new, output_gate = np.split(gates, 4)
    new_c = sigmoid(forget_gate) * c + sigmoid(input_gate) * np.tanh(new)
    return [sigmoid(output_gate) * np.tanh(new_c), new_c]


STEPS = {"gru": gru_step, "lstm": lstm_step}


def zero_state(cell_type, layer):
    units = len(layer["recurrent_kernel"])
    return [np.zeros(units) for _ in range(STATE_PARTS[cell_type])]


def run_layer(cell_type, layer, sequence, state=None, mask=None):
    """sequence [T, F], mask [T] -> outputs [T, U], last state; a masked step changes nothing."""
    state = zero_state(cell_type, layer) if state is None else state
    outputs = []
    for position, x in enumerate(sequence):
        if mask is None or mask[position]:
            state = STEPS[cell_type](layer, x, state)
        outputs.append(state[0])
    return np.array(outputs), state


def run_stack(cell_type, layers, sequence, state=None):
    """Layers on top of each other -> the last one's outputs [T, U] and last state.

    `state` starts the first layer; all others start at zero.
    """
    for number, layer in enumerate(layers):
        sequence, last_state = run_layer(cell_type, layer, sequence, state if number == 0 else None)
    return sequence, last_state


# === Attention ===


def luong_score(kind, attention, h, source):
    """h [U], source [U'] -> a number. Luong et al. 2015, section 3.1.

    "dot" has no weights, "general" has score_kernel [U, U'], "concat" has score_kernel
    [U + U', A] and score_vector [A].
    """
    if kind == "dot":
        return h @ source
    if kind == "general":
        return h @ attention["score_kernel"] @ source
    if kind == "concat":
        both = np.concatenate([h, source])
        return attention["score_vector"] @ np.tanh(both @ attention["score_kernel"])
    raise ValueError(kind)


def attentional_state(kind, attention, h, memory):
    """h [U], memory [S, U'] -> h~ = tanh(W_c [h; context] + b) [U]. Luong et al., equation 5.

    `attention` has combination_kernel [U + U', U], combination_bias [U] and what `luong_score`
    needs.
    """
    scores = [luong_score(kind, attention, h, source) for source in memory]
    context = softmax(np.array(scores)) @ memory
    both = np.concatenate([h, context])
    return np.tanh(both @ attention["combination_kernel"] + attention["combination_bias"])


def luong_layer(kind, cell_type, attention, sequence, state, memory):
    """sequence [T, E], memory [S, U'] -> outputs [T, U].

    The attended h~ is the output and the next step's h. `attention` has the cell (a recurrent
    layer) and what `attentional_state` needs.
    """
    outputs = []
    for x in sequence:
        h, *rest = STEPS[cell_type](attention["cell"], x, state)
        attended = attentional_state(kind, attention, h, memory)
        outputs.append(attended)
        state = [attended, *rest]
    return np.array(outputs)


def input_feeding_layers(kind, cell_type, lower, attention, sequence, state, memory):
    """sequence [T, E], memory [S, U'] -> outputs [T, U]. Luong et al., section 3.3.

    h~ is the output and stands beside the next word; every layer keeps its state. `lower` are the
    layers below that of `attention`; `state` starts the first layer, all others start at zero.
    """
    layers = [*lower, attention["cell"]]
    states = [state, *(zero_state(cell_type, layer) for layer in layers[1:])]
    attended = np.zeros(len(attention["combination_bias"]))
    outputs = []
    for x in sequence:
        h = np.concatenate([x, attended])
        for number, layer in enumerate(layers):
            states[number] = STEPS[cell_type](layer, h, states[number])
            h = states[number][0]
        attended = attentional_state(kind, attention, h, memory)
        outputs.append(attended)
    return np.array(outputs)


def bahdanau_layer(cell_type, attention, sequence, state, memory):
    """sequence [T, E], memory [S, U'] -> outputs [T, U]. Bahdanau et al. 2015, section 3.1.

    The previous h scores the memory; the context goes into the recurrence beside the word.
    `attention` has the cell (a recurrent layer with kernel [E + U', ...]), state_kernel [U, A],
    memory_kernel [U', A] and score_vector [A].
    """
    outputs = []
    for x in sequence:
        scores = [
            attention["score_vector"]
            @ np.tanh(state[0] @ attention["state_kernel"] + source @ attention["memory_kernel"])
            for source in memory
        ]
        context = softmax(np.array(scores)) @ memory
        state = STEPS[cell_type](attention["cell"], np.concatenate([x, context]), state)
        outputs.append(state[0])
    return np.array(outputs)


# === The context of a sentence ===


def standardise(standardisation, features):
    if standardisation is None:
        return features
    return (features - standardisation["mean"]) * standardisation["scale"]


def image_windows(features, image_group_size, reverse):
    """[I, F] -> I windows, each [1 .. K, F]: a photo and the few before it. Paper section 3.2."""
    windows = []
    for current in range(len(features)):
        first = max(0, current - image_group_size + 1)
        window = features[first : current + 1]
        windows.append(window[::-1] if reverse else window)
    return windows


def previous_sentences(rows):
    """Rows [I, T] -> the row before each; before the first <START> alone."""
    nothing_yet = np.full_like(rows[0], NULL)
    nothing_yet[0] = START
    return [nothing_yet, *rows[:-1]]


def decoder_inputs(row):
    """<START> words <END>, padded -> <START> words."""
    return np.array([word for word in row if word not in (NULL, END)])


def target_words(row):
    """<START> words <END>, padded -> words <END>."""
    return np.array([word for word in row[1:] if word != NULL])


def convolutional_state(sentence_encoder, vectors, is_word):
    """Word vectors [T, E], is_word [T] -> state.

    `sentence_encoder` has the filters' kernel [3, E, 64] and bias [64], and for each part of a
    state a dense layer, in `state_layers`.
    """
    vectors = vectors * is_word[:, None]
    responses = []
    for first in range(len(vectors) - 2):
        response = np.array(sentence_encoder["bias"])
        for offset in range(3):
            response = response + vectors[first + offset] @ sentence_encoder["kernel"][offset]
        responses.append(np.tanh(response) * is_word[first])
    pooled = [
        np.maximum(responses[first], responses[first + 1])
        for first in range(0, len(responses) - 1, 2)
    ]
    flat = np.concatenate(pooled)
    return [flat @ layer["kernel"] + layer["bias"] for layer in sentence_encoder["state_layers"]]


# === Models ===


def stories_to_logits(decode, weights, image_features, sentences, image_group_size, reverse):
    """Features [B, I, F], sentences [B, I, T] -> logits [W, V] in reading order.

    `decode` makes of a window [1 .. K, F], the previous row [T] and the vectors of the words that
    the decoder is fed the decoder's outputs, one for each word.
    """
    logits = []
    for features, rows in zip(np.float64(image_features), sentences, strict=True):
        features = standardise(weights["feature_standardisation"], features)
        windows = image_windows(features, image_group_size, reverse)
        for window, previous, row in zip(windows, previous_sentences(rows), rows, strict=True):
            words = weights["word_embedding"][decoder_inputs(row)]
            outputs = decode(window, previous, words)
            logits.append(outputs @ weights["logits"]["kernel"] + weights["logits"]["bias"])
    return np.concatenate(logits)


def encoder_decoder(
    weights, image_features, sentences, cell_type="gru", image_group_size=3, reverse=False
):
    """The image encoder's last state starts the decoder. -> logits [W, V]."""

    def decode(window, _, words):
        _, image_state = run_stack(cell_type, weights["image_encoder"], window)
        outputs, _ = run_stack(cell_type, weights["decoder"], words, image_state)
        return outputs

    return stories_to_logits(decode, weights, image_features, sentences, image_group_size, reverse)


def image_grouping_model(
    weights,
    image_features,
    sentences,
    cell_type="gru",
    image_group_size=3,
    reverse=False,
    sentence_encoder="rnn",
):
    """The image's and the previous sentence's states start the decoder. -> logits [W, V]."""

    def decode(window, previous, words):
        _, image_state = run_stack(cell_type, weights["image_encoder"], window)
        vectors, is_word = weights["word_embedding"][previous], previous != NULL
        encoder = weights["sentence_encoder"]
        if sentence_encoder == "cnn":
            sentence_state = convolutional_state(encoder, vectors, is_word)
        else:
            _, sentence_state = run_layer(cell_type, encoder, vectors, mask=is_word)
        both = [np.concatenate(parts) for parts in zip(image_state, sentence_state, strict=True)]
        outputs, _ = run_stack(cell_type, weights["decoder"], words, both)
        return outputs

    return stories_to_logits(decode, weights, image_features, sentences, image_group_size, reverse)


def attention_encoder_decoder(
    weights,
    image_features,
    sentences,
    cell_type="gru",
    image_group_size=3,
    reverse=False,
    attention="general",
    attend_to="previous_sentence",
    attention_feeds="state",
):
    """The image's state starts the decoder, whose last layer attends to a memory.

    -> logits [W, V].
    """

    def decode(window, previous, words):
        image_outputs, image_state = run_stack(cell_type, weights["image_encoder"], window)
        memory = image_outputs if attend_to == "images" else sentence_outputs(previous)
        top, lower = weights["attention"], weights["decoder"]
        if attention_feeds == "input":
            return input_feeding_layers(
                attention, cell_type, lower, top, words, image_state, memory
            )
        if lower:
            inputs, _ = run_stack(cell_type, lower, words, image_state)
            state = zero_state(cell_type, top["cell"])
        else:
            inputs, state = words, image_state
        if attention == "bahdanau":
            return bahdanau_layer(cell_type, top, inputs, state, memory)
        return luong_layer(attention, cell_type, top, inputs, state, memory)

    def sentence_outputs(row):
        vectors, is_word = weights["word_embedding"][row], row != NULL
        outputs, _ = run_layer(cell_type, weights["sentence_encoder"], vectors, mask=is_word)
        return outputs[is_word]

    return stories_to_logits(decode, weights, image_features, sentences, image_group_size, reverse)


def next_word_loss(sentences, logits):
    """Sentences [B, I, T], logits [W, V] -> mean cross-entropy of the real target words, nats."""
    targets = np.concatenate([target_words(row) for rows in sentences for row in rows])
    losses = [-np.log(softmax(row)[word]) for row, word in zip(logits, targets, strict=True)]
    return np.mean(losses)
