"""Decodings as command-line options and as JSON.

The JSON of a decoding, which is written beside its hypotheses, holds its method, parameters and
constraints, and the precision of the model.
"""

import argparse
import shlex
from dataclasses import asdict, fields

from data_reader.cli import import_tensorflow, whole_number
from data_reader.errors import InputError
from data_reader.files import read_json
from data_reader.vocabulary import MAX_WORDS
from models.precision import PRECISIONS

DEFAULT_DECODING = "greedy"  # the name of the decoding that no option changes


def add_decoding_options(parser):
    """Add the options of beam search and sampling, the constraints and the precision."""
    group = parser.add_argument_group("decoding (default: greedy)")
    method = group.add_mutually_exclusive_group()
    method.add_argument("--beam", type=whole_number(1), metavar="WIDTH", help="beam search")
    method.add_argument("--sample", action="store_true", help="sample each word")
    group.add_argument(
        "--length-penalty",
        type=float,
        metavar="P",
        help="beam search: divide the log probability by words^P (default: 1)",
    )
    group.add_argument("--temperature", type=float, metavar="T", help="sampling (default: 1)")
    group.add_argument(
        "--top-k", type=whole_number(1), metavar="K", help="sampling: from the K likeliest words"
    )
    group.add_argument(
        "--top-p", type=float, metavar="P", help="nucleus sampling: total probability of the words"
    )
    group.add_argument("--seed", type=whole_number(0), help="sampling (default: 1)")
    group.add_argument(
        "--precision",
        default="float32",
        choices=PRECISIONS,
        help="of matrix products (default: %(default)s)",
    )
    group.add_argument(
        "--human-previous",
        action="store_true",
        help="of a split: let each sentence follow the human sentence before it instead of the "
        "generated one",
    )
    _add_constraints(parser.add_argument_group("decoding constraints"))


def _add_constraints(group):
    group.add_argument("--no-unknown", action="store_true", help="never generate <UNK>")
    group.add_argument(
        "--no-repeated-ngram",
        type=whole_number(1),
        default=0,
        metavar="N",
        help="no N words twice in a sentence",
    )
    group.add_argument(
        "--no-story-ngram",
        type=whole_number(1),
        default=0,
        metavar="N",
        help="no N words that an earlier sentence of the story contains",
    )
    group.add_argument(
        "--no-repeated-sentence", action="store_true", help="no sentence twice in a story"
    )
    group.add_argument("--min-words", type=whole_number(1), default=1, metavar="N")
    group.add_argument("--max-words", type=whole_number(1), default=MAX_WORDS, metavar="N")


_BELONG_TO = {
    "length_penalty": "beam",
    "temperature": "sample",
    "top_k": "sample",
    "top_p": "sample",
    "seed": "sample",
}


def check_decoding_options(arguments):
    """Refuse an option of a method that was not chosen, without importing TensorFlow.

    Raises:
        InputError: the option has no meaning without another one.
    """
    for name in _given(arguments):
        if not getattr(arguments, _BELONG_TO[name]):
            raise InputError(
                f"--{name.replace('_', '-')} belongs to --{_BELONG_TO[name]}, which was not given."
            )


def _given(arguments):
    """Return `{name: value}` of the given options that belong to a method."""
    values = {name: getattr(arguments, name) for name in _BELONG_TO}
    return {name: value for name, value in values.items() if value is not None}


def chosen_decoding(arguments):
    """Return the decoding that the options ask for.

    Raises:
        InputError: a number is out of range.
    """
    from generation.constraints import DecodingConstraints
    from generation.decoding import BeamSearch, Greedy, Sampling

    constraints = DecodingConstraints(
        **{field.name: getattr(arguments, field.name) for field in fields(DecodingConstraints)}
    )
    both = {"constraints": constraints, "human_previous": arguments.human_previous}
    if arguments.beam:
        return BeamSearch(arguments.beam, **_given(arguments), **both)
    method = Sampling if arguments.sample else Greedy
    return method(**_given(arguments), **both)


def parse_decoding(options):
    """Return the decoding and the precision that a text of options asks for: "--beam 3".

    Raises:
        InputError: there is no such option, or a number is out of range.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_decoding_options(parser)
    try:
        arguments, others = parser.parse_known_args(shlex.split(options))
    except (argparse.ArgumentError, ValueError) as error:
        raise InputError(f"{options!r} are no options of a decoding: {error}") from error
    if others:
        raise InputError(f"{options!r} are no options of a decoding: {' '.join(others)}")
    check_decoding_options(arguments)
    import_tensorflow()
    return chosen_decoding(arguments), arguments.precision


def options_of(decoding, precision):
    """Return the options of `python -m generation` that give this decoding, as a list."""
    options = ["--sample"] if decoding.method == "sampling" else []
    for part in (decoding, decoding.constraints):
        for field in fields(part):
            value = getattr(part, field.name)
            if field.name != "constraints" and value != field.default:
                name = "beam" if field.name == "width" else field.name.replace("_", "-")
                options += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return options + ([] if precision == "float32" else ["--precision", precision])


def decoding_as_dict(decoding, precision):
    """Return a decoding as its JSON file holds it."""
    parameters = asdict(decoding)
    constraints = parameters.pop("constraints")
    settings = {"method": decoding.method, "parameters": parameters, "constraints": constraints}
    return {**settings, "precision": precision}


def read_decoding(path):
    """Read the JSON of a decoding -> decoding, precision.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it does not describe a decoding.
    """
    import_tensorflow()
    from generation.constraints import DecodingConstraints
    from generation.decoding import METHODS

    contents = read_json(path)
    try:
        constraints = _from_json(DecodingConstraints, contents["constraints"])
        method, parameters = METHODS[contents["method"]], contents["parameters"]
        decoding = _from_json(method, parameters, constraints=constraints)
        if contents["precision"] not in PRECISIONS:
            raise InputError(f"precision is {contents['precision']!r}")
    except (KeyError, TypeError, InputError) as error:
        raise InputError(
            f"{path} does not describe a decoding ({error!r}); generate the stories again."
        ) from error
    return decoding, contents["precision"]


def _from_json(dataclass, values, **others):
    """Make an instance from all of its fields, each of the field's type."""
    for field in fields(dataclass):
        allowed = (int, float) if field.type is float else field.type
        if field.name not in others and not isinstance(values[field.name], allowed):
            raise InputError(f"{field.name} is {values[field.name]!r}")
    return dataclass(**values, **others)
