import csv
import json
import sys

import pytest
from PIL import Image

from data_reader.errors import InputError
from data_reader.run_files import Share
from generation import compare as command
from generation import meteor, metrics
from generation.comparison import DIVERSITY, LEFT_OUT, Result, Section, compare, in_common
from generation.comparison_report import as_markdown, as_text
from generation.metrics import METRICS, Metric, UnavailableError
from generation.references import read_references
from generation.story_files import System, read_system

HUMAN = {
    "A": {"1_2": ["a b .", "a c .", "a b ."], "3_4": ["d e ."]},
    "B": {"5_6": ["f .", "g ."], "7_8": ["h ."]},
}


def shared(texts):
    """[N], the most words that a text shares with one of its references, without full stops."""
    return [
        max(len(set(text.split()) & set(reference.split()) - {"."}) for reference in references)
        for text, references in zip(texts.hypotheses, texts.references, strict=True)
    ]


SHARED = Metric("shared", shared, protocols=("vist-sequence", "vist-album"))


def write(path, contents):
    path.write_text(json.dumps(contents))
    return path


@pytest.fixture
def references(tmp_path):
    return read_references(write(tmp_path / "human.json", HUMAN))


def of_sequences(**stories):
    keys = {"one": "1_2", "three": "3_4", "five": "5_6", "seven": "7_8"}
    return System("a file", "vist-sequence", {keys[k]: s for k, s in stories.items()}, 9, [])


X = of_sequences(one="a b .", three="d .", five="z .", seven="h .")
Y = of_sequences(seven="z .", one="a c .", five="f g .")


def values(section, score):
    return {system: result.value for system, result in section.results[score].items()}


def test_systems_are_compared_on_what_all_have(references):
    common = in_common({"X": X, "Y": Y}, references)
    assert common.keys == ["1_2", "5_6", "7_8"]
    assert common.groups == ["A", "B", "B"]
    whole, left_out, albums, diversity = compare(common, [SHARED], against="X")
    # X shares a b, nothing and h; Y a c, f or g, and nothing.
    assert whole.title == "vist-sequence"
    assert values(whole, "shared") == {"X": 3 / 3, "Y": 3 / 3}
    assert whole.results["shared"]["X"].p_value is None
    assert whole.results["shared"]["Y"].difference == 0
    # Each album drawn twice, or both once: 2 and 1 words of one and two texts.
    assert whole.results["shared"]["X"].interval == pytest.approx([1 / 2, 2 / 1])
    # 1_2 and 5_6 are the first of their albums, whose words are those of all their stories.
    assert values(albums, "shared") == {"X": 2 / 2, "Y": (2 + 1) / 2}
    assert (left_out.title, diversity.title) == (f"vist-sequence, {LEFT_OUT}", DIVERSITY)
    assert values(diversity, "vocabulary") == {"human": 5, "X": 5, "Y": 6}


def test_each_human_story_is_left_out_in_turn(references):
    _, left_out, *_ = compare(in_common({"X": X, "Y": Y}, references), [SHARED])
    # Human: a b beside the other a b, 2 words; a c, 1; a b, 2; f beside g, and g beside f, none.
    # X's a b with a c and a b left, 2; with both a b, 2; 2; z none, twice.
    # Y's a c with a c left, 2; without, 1; with, 2; f g beside one of them, 1, twice.
    expected = {"human": 5 / 5, "X": 6 / 5, "Y": (2 + 1 + 2 + 1 + 1) / 5}
    assert values(left_out, "shared") == pytest.approx(expected)
    assert left_out.basis.startswith("5 human stories of 2 photo sequences that have several")


def test_human_stories_can_be_what_systems_are_compared_with(references):
    whole, left_out, *_ = compare(in_common({"Y": Y}, references), [SHARED], against="human")
    assert whole.results["shared"]["Y"].p_value is None
    assert left_out.results["shared"]["Y"].difference == pytest.approx(2 / 5)


def test_without_albums_photo_sequences_are_drawn(tmp_path):
    path = write(tmp_path / "human.json", {**HUMAN["A"], **HUMAN["B"]})
    sections = compare(in_common({"X": X}, read_references(path)), [SHARED])
    assert [section.title for section in sections] == [
        "vist-sequence",
        f"vist-sequence, {LEFT_OUT}",
        DIVERSITY,
    ]
    assert "intervals over photo sequences" in sections[0].basis


def test_one_system_of_albums_makes_all_of_albums(references):
    albums = System("a file", "vist-album", {"A": "d e .", "B": "h ."}, 2, [])
    common = in_common({"X": X, "Z": albums}, references)
    assert common.systems["X"] == {"A": "a b .", "B": "z ."}
    whole, *_ = compare(common, [SHARED])
    assert (whole.title, values(whole, "shared")) == ("vist-album", {"X": 2 / 2, "Z": 3 / 2})


def test_sentences_are_known_or_found_alike(references):
    listed = of_sequences(one=["a b .", "c d ."])
    common = in_common({"X": listed}, references)
    assert common.sentences(["a b .", "c d ."]) == ["a b .", "c d ."]
    assert common.sentences(["a b", "c d ."]) == ["a b c d ."]  # as one text, as human ones are


def test_a_score_that_is_unavailable_is_named(references):
    def unavailable(texts):
        raise UnavailableError("no parser")

    own = Metric("own", unavailable, protocols=("vist-sequence",), prepare=unavailable)
    whole, *_ = compare(in_common({"X": X}, references), [own, SHARED])
    assert whole.missing == {"own": "no parser"}
    assert "  own is missing: no parser" in as_text([whole])


def test_systems_without_common_stories_are_refused(references):
    systems = {"X": of_sequences(one="a"), "Y": of_sequences(three="b")}
    with pytest.raises(InputError, match="no photo sequences of which all systems have a story"):
        in_common(systems, references)


def meteor_by(protocol):
    [metric] = [m for m in METRICS if m.name == "METEOR" and protocol in m.protocols]
    return metric


def test_what_separates_texts_for_the_program_can_stand_in_one(monkeypatch):
    monkeypatch.setattr(meteor, "meteor", lambda *system: system)
    systems = [(["a ||| b"], [["c"]]), (["a"], [["b"]])]
    for norm in (True, False):
        assert meteor.meteor_of_systems(systems, norm) == [(*system, norm) for system in systems]


def test_meteor_of_sequences_scores_each_pair_once(references, monkeypatch):
    calls = []

    def lengths(systems, normalise):
        [(hypotheses, human)] = systems
        calls.append(list(zip(hypotheses, [reference for [reference] in human], strict=True)))
        return [meteor.Meteor(0, [len(set(h) & set(r)) / 10 for h, r in calls[-1]])]

    monkeypatch.setattr(metrics, "meteor_of_systems", lengths)
    common = in_common({"X": X, "Y": Y}, references)
    whole, *_ = compare(common, [meteor_by("vist-sequence")])
    [pairs] = calls
    assert len(pairs) == len(set(pairs))
    # Letters in common, and the blank and the full stop: 4, 2 and 3; 4, 3 and 2.
    assert values(whole, "METEOR") == pytest.approx({"X": 0.9 / 3, "Y": 0.9 / 3})


RESULTS = {
    "METEOR": {
        "human": Result(Share(0.25), [0.2, 0.3]),
        "a|b": Result(Share(0.5), [0.4, 0.6], 0.25, 0.0005),
    },
    "length": {"a|b": Result(1234.0)},
}
SECTION = Section("vist-sequence", "2 texts", RESULTS, ["length"], {"CIDEr": "no"})


def test_the_table_as_text():
    assert as_text([SECTION]).splitlines() == [
        "vist-sequence: 2 texts",
        "  METEOR                    human  25.00               20.00 to 30.00",
        "                            a|b    50.00               40.00 to 60.00      p = 0.0005",
        "  length                    a|b    1234",
        "  length: lower is better",
        "  CIDEr is missing: no",
    ]


def test_the_table_as_markdown():
    assert as_markdown([SECTION]).splitlines() == [
        "**vist-sequence**: 2 texts",
        "",
        "| score | human | a&#124;b |",
        "| --- | --- | --- |",
        "| METEOR | 25.00<br>20.00 to 30.00 | 50.00<br>40.00 to 60.00<br>p = 0.0005 |",
        "| length |  | 1234 |",
        "",
        "length: lower is better",
        "CIDEr is missing: no",
    ]


def run_command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    command.main()


@pytest.fixture
def files(tmp_path):
    write(tmp_path / "human.json", HUMAN)
    write(tmp_path / "x.json", {**X.stories, "9_9": "n"})
    write(tmp_path / "raw.json", {"1_2": "A b.", "5_6": " ", "7_8": "h ."})
    return tmp_path


def test_the_command(files, monkeypatch, capsys, no_java):
    human = ["--references", files / "human.json"]
    forms = {form: files / f"out.{form}" for form in ("csv", "markdown", "png")}
    written = ["--csv", forms["csv"], "--markdown", forms["markdown"], "--picture", forms["png"]]
    chosen = ["--tokenise", "Raw $x$", "--against", "x"]
    run_command(
        monkeypatch, files / "x.json", f"Raw $x$={files}/raw.json", *human, *chosen, *written
    )
    lines = capsys.readouterr().out.splitlines()
    assert "  METEOR is missing: METEOR needs Java" in "\n".join(lines)
    assert lines[0].startswith("3 photo sequences of which all systems have a story, of 4 in ")
    assert lines[1].endswith(
        "x.json, 5 stories, of 4 photo sequences, 1 not in the references: 9_9"
    )
    assert lines[2].endswith("tokenised, 3 stories, of 3 photo sequences, 1 empty: 5_6")
    with forms["csv"].open() as file:
        rows = {(r["section"], r["score"], r["system"]): r for r in csv.DictReader(file)}
    assert float(rows["vist-album", "BLEU-4", "x"]["value"]) == pytest.approx(0)
    assert rows["vist-album", "ROUGE-L", "Raw $x$"]["p_value"]
    assert rows[DIVERSITY, "vocabulary", "human"]["low"] == ""
    assert forms["markdown"].read_text().startswith("**vist-sequence**: 3 photo sequences")
    assert Image.open(forms["png"]).width > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.json", "--all", "raw.json"], r"raw\.json: raw has no story for 1 of 4 .* first: 3_4"),
        (["x.json", "x.json"], "The name 'x' is taken; name the systems: NAME="),
        (["human=x.json"], "The name 'human' is taken"),
        (["x.json", "--against", "y"], "--against takes the name of a system, x, human; got y"),
        (["x.json", "--tokenise", "y"], "--tokenise takes the name of a system, x; got y"),
    ],
)
def test_wrong_arguments_are_refused(files, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    with pytest.raises(InputError, match=message):
        run_command(monkeypatch, *arguments, "--references", "human.json")


def test_references_are_needed(files, monkeypatch):
    with pytest.raises(InputError, match="Give the human stories with --references FILE"):
        run_command(monkeypatch, files / "x.json")
    with pytest.raises(FileNotFoundError, match=r"y\.json is missing"):
        run_command(monkeypatch, files / "y.json", "--references", files / "human.json")


def test_files_of_both_kinds_are_read_alike(files, references):
    (files / "x.txt").write_text("a b .\nd .\nz .\nh .\n")
    assert read_system(files / "x.txt", references).stories == X.stories
