import h5py
import pytest
from written_runs import write_run

from data_reader.files import write_json
from data_reader.layout import DataLayout
from generation.generated_stories import (
    read_hypotheses,
    read_shown_stories,
    read_systems,
    system_scores,
)


def tell(run, *stories, decoding="greedy"):
    """Write what a run told; a story is its sentences."""
    run.hypotheses(decoding, "test").write_text("".join(f"{s}\n" for st in stories for s in st))
    run.story_hypotheses(decoding, "test").write_text(
        "".join(" ".join(story) + "\n" for story in stories)
    )


@pytest.fixture
def run(tmp_path):
    run = write_run(tmp_path / "a_20260101-000000", [1.0], name="a")
    tell(run, ["a .", "b \u2028 c ."], ["", "d ."])
    return run


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path / "data")
    path = layout.stories("test")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["story_ids"] = [8, 9]
        file["story_sentences"] = file["image_embeddings"] = [[[1, 2]] * 2] * 2
        file["album_ids"] = ["x", "y"]
        file["image_paths"] = [["1.jpg", "2.jpg"], ["2.jpg", "3.jpg"]]
        file["texts"] = [["one é .", "two ."], ["three .", "four ."]]
    return layout


def test_photos_human_story_and_tellers_belong_together(layout, run):
    _, story = read_shown_stories(layout, "test", read_systems([run], "test"))
    assert (story.story_id, story.album_id) == ("9", "y")
    assert story.photos == (layout.root / "2.jpg", layout.root / "3.jpg")
    assert story.systems == {"human": ["three .", "four ."], "a": ["", "d ."]}


def test_only_line_feeds_end_a_sentence(run):
    assert read_hypotheses(run, "greedy", "test") == [["a .", "b \u2028 c ."], ["", "d ."]]


def test_names_are_as_short_as_tells_them_apart(tmp_path, run):
    assert list(read_systems([run], "test")) == ["a"]
    tell(run, ["a", "b"], ["c", "d"], decoding="beam3")
    assert list(read_systems([run], "test")) == ["a beam3", "a greedy"]
    assert list(read_systems([run], "test", ["greedy"])) == ["a"]
    again = write_run(tmp_path / "a_20260102-000000", [1.0], name="a")
    other = write_run(tmp_path / "b_20260102-000000", [1.0], name="b")
    for each in (again, other):
        tell(each, ["a", "b"], ["c", "d"])
    assert list(read_systems([run, again, other], "test", ["greedy"])) == [
        run.name,
        again.name,
        "b",
    ]


def test_figures_are_those_of_the_teller_and_split(run):
    write_json(run.scores("greedy", "test"), {"bleu": 1.5})
    write_json(run.scores("greedy", "valid"), {"bleu": 2.5})
    assert system_scores([run], "test") == {"a": {"bleu": 1.5}}
    assert system_scores([run], "train") == {}


def test_what_was_not_told_is_said_with_the_command(run):
    with pytest.raises(
        FileNotFoundError, match=r"beam5_nounk_test.txt is missing; .*--beam 5 --no-"
    ):
        read_systems([run], "test", ["beam5_nounk"])
    with pytest.raises(ValueError, match="No decoding is called best"):
        read_systems([run], "test", ["best"])


def test_a_teller_of_another_number_of_stories_is_refused(layout, run):
    with pytest.raises(ValueError, match=r"a has told 1 test stories, .* holds 2"):
        read_shown_stories(layout, "test", {"a": [["x", "y"]]})
    with run.hypotheses("greedy", "test").open("a") as file:
        file.write("one more\n")
    with pytest.raises(ValueError, match=r"5 sentences, .* 2 stories"):
        read_systems([run], "test")
