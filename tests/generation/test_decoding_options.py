import argparse
import json

import pytest

from data_reader.errors import InputError
from data_reader.files import write_json
from generation.constraints import DecodingConstraints
from generation.decoding import BeamSearch, Greedy, Sampling
from generation.decoding_options import (
    add_decoding_options,
    check_decoding_options,
    chosen_decoding,
    decoding_as_dict,
    options_of,
    parse_decoding,
    read_decoding,
)


def parse(*options):
    parser = argparse.ArgumentParser()
    add_decoding_options(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize(
    ("options", "decoding"),
    [
        ("", Greedy()),
        ("--precision bfloat16", Greedy()),
        ("--human-previous", Greedy(human_previous=True)),
        (
            "--beam 5 --length-penalty 0.123456789 --no-unknown",
            BeamSearch(5, 0.123456789, DecodingConstraints(no_unknown=True)),
        ),
        ("--sample", Sampling()),
        (
            "--sample --temperature 1e-05 --top-k 50 --top-p 0.9 --seed 2 --precision bfloat16",
            Sampling(1e-5, 50, 0.9, 2),
        ),
        (
            "--no-repeated-ngram 3 --no-story-ngram 4 --no-repeated-sentence --min-words 5"
            " --max-words 12",
            Greedy(DecodingConstraints(False, 3, 4, True, 5, 12)),
        ),
    ],
)
def test_options_and_json_give_the_same_decoding(options, decoding, tmp_path):
    arguments = parse(*options.split())
    assert chosen_decoding(arguments) == decoding
    assert parse_decoding(options) == (decoding, arguments.precision)
    assert options_of(decoding, arguments.precision) == options.split()
    write_json(tmp_path / "decoding.json", decoding_as_dict(decoding, arguments.precision))
    assert read_decoding(tmp_path / "decoding.json") == (decoding, arguments.precision)


@pytest.mark.parametrize("options", ["--beem 3", "--beam three", "'", "greedy"])
def test_what_are_no_options_of_a_decoding_is_refused(options):
    with pytest.raises(InputError, match="are no options of a decoding"):
        parse_decoding(options)


def test_an_option_of_a_method_that_was_not_chosen_is_refused():
    check_decoding_options(parse("--sample", "--top-k", "3"))
    with pytest.raises(InputError, match="--top-k belongs to --sample, which was not given"):
        check_decoding_options(parse("--beam", "2", "--top-k", "3"))


BEAM_3 = {"width": 3, "length_penalty": 1.0, "human_previous": False}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "best"}, "KeyError.'best'"),
        ({"parameters": {**BEAM_3, "width": "3"}}, "width is '3'"),
        ({"parameters": {**BEAM_3, "width": 0}}, "width is 0"),
        ({"parameters": {"width": 3}}, "length_penalty"),
        ({"parameters": {**BEAM_3, "depth": 2}}, "depth"),
        ({"parameters": None}, "TypeError"),
        ({"constraints": {}}, "no_unknown"),
        ({"precision": "float7"}, "precision is 'float7'"),
        (["no dictionary"], "TypeError"),
        ("cut short", "cut short or not JSON"),
    ],
)
def test_a_broken_json_is_named(change, message, tmp_path):
    path = tmp_path / "decoding.json"
    contents = json.dumps(
        decoding_as_dict(BeamSearch(3), "float32") | change if isinstance(change, dict) else change
    )
    path.write_text(contents[:-1] if change == "cut short" else contents)
    with pytest.raises(InputError, match=rf"decoding\.json .*{message}"):
        read_decoding(path)
