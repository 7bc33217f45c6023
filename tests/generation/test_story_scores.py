import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from data_reader.errors import InputError
from generation import story_scores
from generation.coherence import coherence
from generation.dhm import read_story_scores
from generation.grounding import groovist, grounding

PAGE = Path(__file__).parents[2] / "docs" / "scores.md"


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["story_scores", *map(str, arguments)])
    story_scores.main()
    return capsys.readouterr().out.splitlines()


def test_coherence_is_the_mean_probability_of_the_next_sentence():
    asked = []

    def model(pairs):
        asked.extend(pairs)
        return [0.5, 0.7, 0.9]

    found = coherence({"1": ["a .", "b .", "c ."], "2": ["d ."], "3": ["e .", "e ."]}, model)
    assert asked == [(["a ."], "b ."), (["a .", "b ."], "c ."), (["e ."], "e .")]
    assert found["1"] == pytest.approx(0.6)
    assert math.isnan(found["2"])
    assert found["3"] == 0  # a repetition, whatever the model says


@pytest.mark.parametrize("returned", [[0.5, 0.5], 0.5, [1.5], [math.nan]])
def test_a_model_that_returns_no_probabilities_is_refused(returned):
    with pytest.raises(InputError, match="for 1 pairs; expected one probability from 0 to 1"):
        coherence({"1": ["a .", "b ."]}, lambda pairs: returned)


def test_groovist_worked_out_by_hand():
    # Cosines: phrase 1 is most like region 2, 0.6; phrase 2 like region 1, 0.2.
    phrases = np.array([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    regions = np.array([[0.0, 2.0, math.sqrt(96)], [0.6, 0.0, 0.8]])
    # 1.5 is above the threshold of 0.6, 0.5 below: it lacks 0.1.
    assert groovist(phrases, [5.0, 2.0], regions, 0.6) == pytest.approx((1.5 * 5 - 0.1 * 2) / 2)


@pytest.fixture
def vectors(tmp_path):
    """A folder of vectors: one story as above, one without photos and one without phrases."""
    folder = tmp_path / "vectors"
    (folder / "photos").mkdir(parents=True)
    np.save(folder / "photos" / "10.npy", np.array([[0.0, 1.0, math.sqrt(24)]]))
    np.save(folder / "photos" / "11.npy", np.array([[0.6, 0.0, 0.8]], dtype=np.float32))
    np.save(folder / "phrases.npy", np.eye(3)[1::-1])
    (folder / "phrases.json").write_text('["the dog", "a park"]')
    stories = {
        "1": {"photos": ["10", "gone", "11"], "phrases": {"a park": 5.0, "the dog": 2}},
        "2": {"photos": ["gone"], "phrases": {"a park": 5.0}},
        "3": {"photos": ["10"], "phrases": {}},
    }
    (folder / "stories.json").write_text(json.dumps(stories))
    return folder


def test_grounding_is_read_from_a_folder_of_vectors(vectors, tmp_path, monkeypatch, capsys):
    out = command(monkeypatch, capsys, "grounding", tmp_path / "G.json", "--vectors", vectors)
    expected = (1.5 * 5 + (0.5 - 0.6159241924121119) * 2) / 2
    assert read_story_scores(tmp_path / "G.json", "G_score") == {"1": pytest.approx(expected)}
    assert out[:2] == [
        f"grounding {expected:.4f}, 1 stories",
        "2 have no score and were left out, the first: 2",
    ]


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("phrases.json", '["the dog", "x"]', "phrases.json lacks 'a park' of the story 1"),
        ("phrases.json", '["the dog"]', "phrases.json is no list of 2 phrases"),
        ("phrases.npy", np.ones((2, 4)), r"10.npy has float64 of shape \(1, 3\); expected .* 4\]"),
        ("photos/10.npy", np.array([[0.0, 0, 0]]), "10.npy .*, none of them 0"),
        ("photos/10.npy", np.array([[math.nan, 0, 0]]), "10.npy .*expected finite vectors"),
        ("photos/10.npy", np.array([["a"]]), "10.npy has <U1"),
        ("photos/10.npy", "no array", "10.npy is no readable .npy file"),
        ("stories.json", '{"1": {"photos": ["10"]}}', "stories.json: 1 has {'photos'.*, expected"),
        ("stories.json", '{"1": {"photos": [], "phrases": {"x": null}}}', "stories.json: 1 has"),
        ("stories.json", "[]", "stories.json holds a list"),
    ],
)
def test_a_folder_that_holds_something_else_is_refused(vectors, name, contents, message):
    if isinstance(contents, str):
        (vectors / name).write_text(contents)
    else:
        np.save(vectors / name, contents)
    with pytest.raises(InputError, match=message):
        grounding(vectors)


def test_the_page_s_model_measures_coherence(tmp_path, monkeypatch, capsys):
    [code] = re.findall(r"```python\n(# sentence_order\.py\n.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "sentence_order.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    stories = {"1": "we saw a dog . the dog ran .", "2": "one sentence"}
    (tmp_path / "stories.json").write_text(json.dumps(stories))
    files = [tmp_path / "C.csv", "--stories", tmp_path / "stories.json"]
    model = ["--model", "sentence_order:follows"]
    out = command(monkeypatch, capsys, "coherence", *files, *model)
    # Of "the", "dog", "ran" and ".", two were there before.
    assert read_story_scores(tmp_path / "C.csv", "C_score") == {"1": 0.5}
    assert out[1] == "1 have no score and were left out, the first: 2"
    sys.modules.pop("sentence_order")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grounding", "G.json"], "grounding takes --vectors alone"),
        (["grounding", "G.json", "--vectors", "a", "--run", "b"], "grounding takes --vectors alo"),
        (["coherence", "C.csv", "--run", "a"], "coherence takes --model and one of --stories,"),
        (["non-redundancy", "R.csv"], "non-redundancy takes one of --stories, --run, --human"),
        (["non-redundancy", "R.csv", "--run", "a", "--human", "b"], "non-redundancy takes one"),
        (["non-redundancy", "R.txt", "--run", "a"], "ends in .csv or .json"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(monkeypatch, capsys, arguments, message):
    with pytest.raises(InputError, match=message):
        command(monkeypatch, capsys, *arguments)


def test_stories_that_have_no_score_make_no_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "stories.json").write_text('{"1": "one sentence"}')
    files = [tmp_path / "R.csv", "--stories", tmp_path / "stories.json"]
    with pytest.raises(InputError, match="None of 1 stories has a score by non-redundancy"):
        command(monkeypatch, capsys, "non-redundancy", *files)
    with pytest.raises(InputError, match="dhm:COLUMNS is a dict, not a function"):
        command(monkeypatch, capsys, "coherence", *files, "--model", "generation.dhm:COLUMNS")
    assert not (tmp_path / "R.csv").exists()
