"""How sentences are written, as options of a command."""

import re

from data_reader.cli import whole_number
from data_reader.errors import InputError
from data_reader.vocabulary import MAX_WORDS


def add_decoding_options(parser):
    """Add `--beam`, `--sample` with what belongs to them, and the rules; greedy without any."""
    ways = parser.add_argument_group("how a sentence is written (default: greedily)")
    way = ways.add_mutually_exclusive_group()
    way.add_argument("--beam", type=whole_number(1), metavar="WIDTH", help="beam search")
    way.add_argument("--sample", action="store_true", help="draw each word by its probability")
    ways.add_argument(
        "--length-penalty",
        type=float,
        metavar="P",
        help="of beam search: the log probability is divided by words^P (default: 1)",
    )
    ways.add_argument("--temperature", type=float, metavar="T", help="of sampling (default: 1)")
    ways.add_argument(
        "--top-k", type=whole_number(1), metavar="K", help="sample from the K likeliest words"
    )
    ways.add_argument(
        "--top-p", type=float, metavar="P", help="sample from words that come to P (nucleus)"
    )
    ways.add_argument("--seed", type=whole_number(0), help="of sampling (default: 1)")
    _add_rules(parser.add_argument_group("what it may not say"))


def _add_rules(rules):
    rules.add_argument("--no-unknown", action="store_true", help="never <UNK>")
    rules.add_argument(
        "--no-repeated-ngram",
        type=whole_number(1),
        default=0,
        metavar="N",
        help="no N words twice in a sentence",
    )
    rules.add_argument(
        "--no-story-ngram",
        type=whole_number(1),
        default=0,
        metavar="N",
        help="no N words that the story's earlier sentences hold",
    )
    rules.add_argument(
        "--no-repeated-sentence", action="store_true", help="no sentence twice in a story"
    )
    rules.add_argument("--min-words", type=whole_number(1), default=1, metavar="N")
    rules.add_argument("--max-words", type=whole_number(1), default=MAX_WORDS, metavar="N")


_BELONG_TO = {
    "length_penalty": "beam",
    "temperature": "sample",
    "top_k": "sample",
    "top_p": "sample",
    "seed": "sample",
}


def check_decoding_options(arguments):
    """Refuse an option whose way of writing was not chosen, without waiting for TensorFlow.

    Raises:
        ValueError: the option has no meaning without another one.
    """
    for name in _given(arguments):
        if not getattr(arguments, _BELONG_TO[name]):
            raise InputError(
                f"--{name.replace('_', '-')} belongs to --{_BELONG_TO[name]}, which was not given."
            )


def _given(arguments):
    """`{name: value}` of the options that belong to another one."""
    values = {name: getattr(arguments, name) for name in _BELONG_TO}
    return {name: value for name, value in values.items() if value is not None}


# What the parts of a decoding's name ask for.
_OPTIONS = {
    "greedy": "",
    "beam": "--beam {}",
    "lp": "--length-penalty {}",
    "sample": "--sample",
    "t": "--temperature {}",
    "k": "--top-k {}",
    "p": "--top-p {}",
    "s": "--seed {}",
    "nounk": "--no-unknown",
    "norepeat": "--no-repeated-ngram {}",
    "nostory": "--no-story-ngram {}",
    "nosame": "--no-repeated-sentence",
    "min": "--min-words {}",
    "max": "--max-words {}",
    "bfloat": "--precision bfloat{}",
}


def options_of(name):
    """The options of `python -m generation` by which a decoding gets this name; "" for greedy.

    Raises:
        ValueError: no decoding is called so.
    """
    options = [_option(part) for part in name.split("_")]
    if None in options:
        raise InputError(f"No decoding is called {name}; some are: greedy, beam3, sample_t0.8_s1.")
    return " ".join(filter(None, options))


def _option(part):
    """What a part of a name asks for; None where no name has such a part."""
    kind = re.match("[a-z]*", part)[0]
    option, number = _OPTIONS.get(kind), part.removeprefix(kind)
    if option is None or bool(number) != ("{}" in option):
        return None
    return option.format(number)


def chosen_decoding(arguments):
    """The decoding that the options ask for.

    Raises:
        ValueError: a number is out of range.
    """
    from generation.constraints import DecodingConstraints
    from generation.decoding import BeamSearch, Greedy, Sampling

    rules = DecodingConstraints(
        arguments.no_unknown,
        arguments.no_repeated_ngram,
        arguments.no_story_ngram,
        arguments.no_repeated_sentence,
        arguments.min_words,
        arguments.max_words,
    )
    if arguments.beam:
        return BeamSearch(arguments.beam, **_given(arguments), rules=rules)
    return Sampling(**_given(arguments), rules=rules) if arguments.sample else Greedy(rules)
