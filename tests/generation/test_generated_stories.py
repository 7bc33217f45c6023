import re

import h5py
import pytest
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.files import write_json
from data_reader.layout import DataLayout
from generation.constraints import DecodingConstraints
from generation.decoding import BeamSearch
from generation.decoding_options import decoding_as_dict
from generation.generated_stories import (
    ShownStory,
    read_hypotheses,
    read_shown_stories,
    read_systems,
    system_scores,
    system_seeds,
)


def write_hypotheses(run, *stories, decoding="greedy"):
    """Write generated stories; each is a list of sentences."""
    run.hypotheses(decoding, "test").write_text("".join(f"{s}\n" for st in stories for s in st))
    run.story_hypotheses(decoding, "test").write_text(
        "".join(" ".join(story) + "\n" for story in stories)
    )


@pytest.fixture
def run(tmp_path):
    run = write_run(tmp_path / "a_20260101-000000", [1.0], name="a")
    write_hypotheses(run, ["a .", "b \u2028 c ."], ["", "d ."])
    return run


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path / "data")
    path = layout.stories("test")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["story_ids"] = [8, 9]
        file["story_sentences"] = [[[1, 2] + [0] * 20] * 2] * 2
        file["image_embeddings"] = [[[0.5]] * 2] * 2
        file["album_ids"] = ["x", "y"]
        file["image_paths"] = [["1.jpg", "2.jpg"], ["2.jpg", "3.jpg"]]
        file["image_ids"] = [["1", "2"], ["2", "3"]]
        file["texts"] = [["one é .", "two ."], ["three .", "four ."]]
    return layout


def test_photos_human_story_and_systems_belong_together(layout, run):
    _, story = read_shown_stories(layout, "test", read_systems([run], "test"))
    assert (story.story_id, story.album_id) == ("9", "y")
    assert story.photos == (layout.root / "2.jpg", layout.root / "3.jpg")
    assert story.photo_ids == ("2", "3")
    assert story.systems == {"human": ["three .", "four ."], "a": ["", "d ."]}


@pytest.mark.parametrize("id_", ["45530", "my_trip-2.b", "..", "9" * 100])
def test_an_ordinary_id_names_files_as_it_is(id_):
    assert ShownStory(id_, "a", (), (), {}).name_in_files == id_


def test_any_id_names_files_of_its_own():
    ids = ["a/b", "a b", "a  b", "a\nb", "a-b", "ä", "é", "", "~", "9" * 300, "9" * 301, "sheet"]
    ids += ["1_frame2", "1_attribution", "a\0b"]
    names = [ShownStory(id_, "a", (), (), {}).name_in_files for id_ in ids]
    assert names[0] == "a-b~c14cddc033f64b9d"
    assert names[ids.index("sheet")].startswith("sheet~")
    assert len(set(names)) == len(ids)
    assert all(re.fullmatch(r"[\w.~-]{1,80}", name, re.ASCII) for name in names)
    assert [name for name in names if "~" not in name] == ["a-b"]


def test_only_line_feeds_end_a_sentence(run):
    assert read_hypotheses(run, "greedy", "test") == [["a .", "b \u2028 c ."], ["", "d ."]]


def test_names_are_the_shortest_that_are_unique(tmp_path, run):
    assert list(read_systems([run], "test")) == ["a"]
    write_hypotheses(run, ["a", "b"], ["c", "d"], decoding="beam3")
    assert list(read_systems([run], "test")) == ["a beam3", "a greedy"]
    assert list(read_systems([run], "test", ["greedy"])) == ["a"]
    again = write_run(tmp_path / "a_20260102-000000", [1.0], name="a")
    other = write_run(tmp_path / "b_20260102-000000", [1.0], name="b")
    for each in (again, other):
        write_hypotheses(each, ["a", "b"], ["c", "d"])
    assert list(read_systems([run, again, other], "test", ["greedy"])) == [
        run.name,
        again.name,
        "b",
    ]


def test_seeds_of_one_experiment_follow_each_other(tmp_path, run):
    other = write_run(tmp_path / "b", [1.0], name="b", epochs=9)
    second = write_run(tmp_path / "a_seed-2_20260101-000000", [1.0], name="a_seed-2", seed=2)
    for each in (other, second):
        write_hypotheses(each, ["a", "b"], ["c", "d"])
    runs = [run, other, second]
    assert list(read_systems(runs, "test")) == ["a seed 1", "a seed 2", "b"]
    assert system_seeds(runs, "test") == {"a seed 1": ("a", 1), "a seed 2": ("a", 2)}
    assert system_seeds([second, other], "test") == {}
    assert list(read_systems([second, other], "test")) == ["a_seed-2", "b"]
    write_hypotheses(second, ["a", "b"], ["c", "d"], decoding="beam3")
    write_json(second.scores("beam3", "test"), {"bleu": 1.5})
    assert list(read_systems(runs, "test")) == [
        "a greedy seed 1",
        "a greedy seed 2",
        "a beam3 seed 2",
        "b",
    ]
    assert system_seeds(runs, "test")["a beam3 seed 2"] == ("a beam3", 2)
    assert system_scores(runs, "test") == {"a beam3 seed 2": {"bleu": 1.5}}


def test_scores_are_those_of_the_system_and_split(run):
    write_json(run.scores("greedy", "test"), {"bleu": 1.5})
    write_json(run.scores("greedy", "valid"), {"bleu": 2.5})
    assert system_scores([run], "test") == {"a": {"bleu": 1.5}}
    assert system_scores([run], "train") == {}


def test_missing_hypotheses_are_named_with_the_command(run):
    decoding = BeamSearch(5, 0.123456789, DecodingConstraints(no_unknown=True))
    write_json(run.decoding("beam5", "valid"), decoding_as_dict(decoding, "bfloat16"))
    with pytest.raises(FileNotFoundError) as error:
        read_systems([run], "test", ["beam5"])
    assert str(error.value) == (
        f"{run.hypotheses('beam5', 'test')} is missing; generate the stories with: "
        f"python -m generation --run {run.path} --split test --beam 5 "
        "--length-penalty 0.123456789 --no-unknown --precision bfloat16"
    )
    with pytest.raises(FileNotFoundError, match=r"--run \S+ --split valid$"):
        read_systems([run], "valid")
    run.decoding("beam5", "valid").write_text("{")
    with pytest.raises(InputError, match=r"decoding_beam5_valid\.json is cut short"):
        read_systems([run], "test", ["beam5"])


def test_an_unknown_decoding_is_refused_with_those_that_there_are(run):
    with pytest.raises(
        FileNotFoundError,
        match=r"beam3_test\.txt is missing; of test the run has greedy; .* --split test --help$",
    ):
        read_systems([run], "test", ["beam3"])
    with pytest.raises(FileNotFoundError, match=r"of valid the run has no stories; .*--help$"):
        read_systems([run], "valid", ["beam3"])


def test_a_system_with_another_number_of_stories_is_refused(layout, run):
    with pytest.raises(InputError, match=r"a has 1 test stories, .* holds 2"):
        read_shown_stories(layout, "test", {"a": [["x", "y"]]})
    with run.hypotheses("greedy", "test").open("a") as file:
        file.write("one more\n")
    with pytest.raises(InputError, match=r"5 sentences, .* 2 stories"):
        read_systems([run], "test")


def test_text_that_is_not_utf_8_is_refused(layout, run):
    run.hypotheses("greedy", "test").write_bytes(b"caf\xe9\n" * 4)
    with pytest.raises(InputError, match=r"hypotheses_greedy_test\.txt is not UTF-8"):
        read_systems([run], "test")
    with h5py.File(layout.stories("test"), "a") as file:
        file["texts"][0, 0] = b"caf\xe9"
    with pytest.raises(InputError, match="texts is not UTF-8"):
        read_shown_stories(layout, "test", {})
