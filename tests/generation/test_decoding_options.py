import argparse

import pytest

from generation.decoding_options import add_decoding_options, chosen_decoding, options_of


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--beam 5 --length-penalty 0.5 --no-unknown",
        "--sample --temperature 1e-05 --top-k 50 --top-p 0.9 --seed 2",
        "--no-repeated-ngram 3 --no-story-ngram 4 --no-repeated-sentence --min-words 5"
        " --max-words 12",
    ],
)
def test_a_decoding_s_name_tells_its_options(options):
    parser = argparse.ArgumentParser()
    add_decoding_options(parser)
    decoding = chosen_decoding(parser.parse_args(options.split()))
    assert options_of(decoding.name) == options


def test_the_precision_is_an_option_too():
    assert options_of("beam3_bfloat16") == "--beam 3 --precision bfloat16"


@pytest.mark.parametrize("name", ["", "best", "beam", "beam3_of", "greedy3", "Greedy"])
def test_a_name_that_no_decoding_has_is_refused(name):
    with pytest.raises(ValueError, match="No decoding is called"):
        options_of(name)
