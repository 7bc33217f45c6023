import json
import math
import sys

import pytest

from data_reader.errors import InputError
from generation import scores
from generation.dhm import COLUMNS, distances, read_story_scores, write_story_scores


def test_the_distances_worked_out_by_hand():
    human = [{"1": 0.5, "2": -1.0, "3": 9.0}, {"1": 0.9, "2": 0.5}, {"1": 0.8, "2": 1.0}]
    system = [{"2": 1.0, "1": 0.5}, {"1": 0.7, "2": 0.6}, {"1": 0.9, "2": 0.9, "4": 0.0}]
    found = distances(human, system)
    # Only 1 and 2 have all six.  Grounding: 0 and 2 tanh 1.
    assert found["grounding"]["distance"] == pytest.approx(math.tanh(1))
    assert found["grounding"]["human"] == pytest.approx((math.tanh(0.5) - math.tanh(1)) / 2)
    assert found["coherence"] == pytest.approx({"human": 0.7, "system": 0.65, "distance": 0.15})
    assert found["non-redundancy"]["distance"] == pytest.approx(0.1)
    assert found["d_HM"] == pytest.approx((math.tanh(1) + 0.15 + 0.1) / 3)
    assert found["stories"] == 2


@pytest.mark.parametrize("name", ["scores.csv", "scores.json"])
def test_scores_by_story_are_written_and_read(tmp_path, name):
    write_story_scores(tmp_path / name, {"a,b": 0.25, "ä": -1e-20}, "G_score")
    assert read_story_scores(tmp_path / name, "G_score") == {"a,b": 0.25, "ä": -1e-20}


def test_scores_are_written_as_the_field_does(tmp_path):
    write_story_scores(tmp_path / "R.csv", {"45530": 0.5}, "R_score")
    assert (tmp_path / "R.csv").read_text().split() == ["story_id,R_score", "45530,0.5"]
    with pytest.raises(InputError, match=r"R\.txt: expected a name that ends in \.csv or \.json"):
        write_story_scores(tmp_path / "R.txt", {"45530": 0.5}, "R_score")


def test_stories_without_a_score_are_left_out(tmp_path):
    (tmp_path / "G.json").write_text('{"1": 0.5, "2": "", "3": NaN, "4": null, "5": "0.25"}')
    assert read_story_scores(tmp_path / "G.json", "G_score") == {"1": 0.5, "5": 0.25}
    (tmp_path / "C.csv").write_text("\ufeffstory_id, coherence\n\n1, 0.5\n2,nan\n3,\n")
    assert read_story_scores(tmp_path / "C.csv", "C_score") == {"1": 0.5}


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("C.csv", b"story_id,C_score\n1,high\n", "C.csv: 1 has 'high', expected a number"),
        ("C.csv", b"story_id,C_score\n1,inf\n", "C.csv: 1 has 'inf', expected a number"),
        ("C.csv", b"story_id,C_score\n1,1\n7\n", "C.csv: 7 has 1 columns, expected 2"),
        ("C.csv", b"story_id,C_score\n1,1\n1,1\n", "C.csv holds 1 twice"),
        ("C.csv", b"story_id,R_score\n1,1\n", "C.csv holds R_score, expected C_score; files are"),
        ("C.csv", b"id,C_score\n1,1\n", "C.csv has the columns id, C_score; expected story_id,C"),
        ("C.csv", b"story_id\n1\n", "C.csv has the columns story_id; expected"),
        ("C.csv", b"story_id,C_score\n1,nan\n", "C.csv holds no scores"),
        ("C.csv", "story_id,C_score\n1,1\n".encode("utf-16"), "C.csv is not UTF-8"),
        ("C.json", b'{"1": [0.5]}', r"C.json: 1 has \[0.5\], expected a number"),
        ("C.json", b"[0.5]", r"C.json holds a list, expected \{story id: score\}"),
        ("C.json", b'{"1": ', "C.json is cut short or not JSON"),
        ("C.json", '{"ä": 1}'.encode("latin-1"), "C.json is cut short or not JSON"),
        ("C.json", b'{"1": 1' + 400 * b"0" + b"}", "1 has 1000.*000, expected a number"),
        ("C.json", b'{"1": 1e9}', "1 has 1000000000.0, expected a number"),
        ("C.csv", b"story_id,C_score\n1\r,2", "no CSV file .new-line character"),
        ("C.csv", b"story_id,C_score\n1," + 6000 * b"9", "1 has '999.*999', expected a number"),
    ],
)
def test_files_that_hold_something_else_are_refused(tmp_path, name, contents, message):
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(InputError, match=message):
        read_story_scores(tmp_path / name, "C_score")


def six_files(folder, keys=("1", "2"), of_system=("1", "2")):
    sides = []
    for side, stories, number in (("human", keys, 1.0), ("system", of_system, 0.5)):
        files = [folder / f"{side}_{letter}" for letter in ("G.json", "C.csv", "R.csv")]
        for path, column in zip(files, COLUMNS.values(), strict=True):
            write_story_scores(path, dict.fromkeys(stories, number), column)
        sides.append([str(file) for file in files])
    return ["--human", *sides[0], "--system", *sides[1]]


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["scores", *arguments])
    scores.main()
    return capsys.readouterr().out


def test_the_command_names_the_stories_that_a_file_lacks(tmp_path, monkeypatch, capsys):
    out = command(monkeypatch, capsys, "dhm", *six_files(tmp_path, ("1", "2", "x")))
    one, half = math.tanh(1), math.tanh(0.5)
    assert [line.split() for line in out.splitlines()[1:6]] == [
        ["grounding", f"{one:.4f}", f"{half:.4f}", f"{one - half:.4f}"],
        ["coherence", "1.0000", "0.5000", "0.5000"],
        ["non-redundancy", "1.0000", "0.5000", "0.5000"],
        ["d_HM", f"{(one - half + 1) / 3:.4f}"],
        ["2", "stories", "have", "all", "six", "scores"],
    ]
    assert f"{tmp_path / 'system_C.csv'} lacks 1 of 3, the first: x" in out.splitlines()
    found = json.loads(command(monkeypatch, capsys, "dhm", *six_files(tmp_path), "--json"))
    assert found["d_HM"] == pytest.approx((one - half + 1) / 3)


def test_keys_of_another_form_are_refused(tmp_path, monkeypatch, capsys):
    files = six_files(tmp_path, of_system=("1_2", "3_4"))
    message = (
        r"No story is in all six files: \S+human_G.json begins with 1, .*system_R.csv begins w"
    )
    with pytest.raises(InputError, match=message):
        command(monkeypatch, capsys, "dhm", *files)


def test_half_of_the_options_are_refused(tmp_path, monkeypatch, capsys):
    files = six_files(tmp_path)
    for options in (["dhm"], ["dhm", *files[:4]], files, ["vist-album", *files]):
        with pytest.raises(InputError, match="dhm takes --human G C R and --system G C R alone"):
            command(monkeypatch, capsys, *options)
