import json
import shlex

import h5py
import pytest
from written_runs import write_run

from data_reader.layout import DataLayout
from generation import scores
from generation.__main__ import scores_or_why_not
from generation.scores import (
    RunStories,
    check_keys,
    first_of_each,
    pair_lines,
    read_lines,
    read_predictions,
    read_references,
    report,
    score_run,
)


def test_only_a_line_feed_ends_a_line(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("one\r two\u2028 three\r\n\né\n".encode())
    assert read_lines(path) == ["one\r two\u2028 three\r", "", "é"]


def test_the_mark_with_which_some_editors_begin_a_file_is_no_word(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffone\n".encode())
    assert read_lines(path) == ["one"]
    path.write_bytes('\ufeff{"1": "one"}'.encode())
    assert read_predictions(path) == {"1": "one"}


@pytest.mark.parametrize(
    ("protocol", "right", "wrong"),
    [("vist-album", "721575", "1_2_3_4_5"), ("vist-sequence", "1_2_3_4_5", "1_2_3_4")],
)
def test_the_keys_of_another_protocol_are_refused(protocol, right, wrong):
    check_keys(protocol, [right])
    with pytest.raises(ValueError, match=f"{protocol} takes .* as key, got {wrong}"):
        check_keys(protocol, [right, wrong])


@pytest.mark.parametrize(("contents", "message"), [(b"\n \n", "no text"), (b"\xff", "not UTF-8")])
def test_a_file_without_text_is_refused(tmp_path, contents, message):
    (tmp_path / "lines.txt").write_bytes(contents)
    with pytest.raises(ValueError, match=message):
        read_lines(tmp_path / "lines.txt")


def test_json_is_no_text(tmp_path):
    with pytest.raises(ValueError, match="expected a text file"):
        read_lines(write(tmp_path / "predictions.json", {"1": "x"}))


def test_sentences_are_joined_to_stories():
    sentences, human = list("abcdefghij"), list("klmnopqrst")
    assert pair_lines(sentences, human, "sentence") == (sentences, human)
    joined = (["a b c d e", "f g h i j"], ["k l m n o", "p q r s t"])
    assert pair_lines(sentences, human, "story") == joined
    assert pair_lines(["one story", "two"], human, "story") == (["one story", "two"], joined[1])


@pytest.mark.parametrize(
    ("told", "human", "level"), [(9, 10, "sentence"), (3, 10, "story"), (9, 9, "story")]
)
def test_lines_that_do_not_fit_are_refused(told, human, level):
    with pytest.raises(ValueError, match=f"There are {told} .* for {human} references"):
        pair_lines(["a"] * told, ["b"] * human, level)


def write(path, contents):
    path.write_text(json.dumps(contents))
    return path


def test_predictions_are_texts_or_lists_with_one(tmp_path):
    assert read_predictions(write(tmp_path / "a.json", {"1": "x", "2": ["y"]})) == {
        "1": "x",
        "2": "y",
    }
    for wrong in ({"1": ["x", "y"]}, {"1": 5}, ["x"]):
        with pytest.raises(ValueError, match=r"a\.json"):
            read_predictions(write(tmp_path / "a.json", wrong))
    for wrong in ({"1": "x"}, {"1": [5]}):
        with pytest.raises(ValueError, match=r"a\.json: 1 has"):
            read_references(write(tmp_path / "a.json", wrong))


STORIES = [  # id, album, photos, text of each sentence
    ("7", "A", "abcde", "long uncut sentence {n} ."),
    ("8", "A", "abcde", "another {n} ."),
    ("9", "B", "fghij", "last {n} ."),
    ("6", "A", "aaaab", "dropped by the reader {n} ."),
]


@pytest.fixture
def run(tmp_path):
    """Three told stories; the reader dropped a fourth."""
    layout = DataLayout(tmp_path / "data")
    annotations = [
        {
            "story_id": story_id,
            "album_id": album,
            "photo_flickr_id": photo,
            "worker_arranged_photo_order": place,
            "text": text.format(n=place),
        }
        for story_id, album, photos, text in STORIES
        for place, photo in enumerate(photos)
    ]
    path = layout.annotations("test")
    path.parent.mkdir(parents=True)
    write(path, {"annotations": [[annotation] for annotation in annotations]})
    path = layout.stories("test")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["story_ids"] = [7, 8, 9]
        file["story_sentences"] = [[[1, 2] + [0] * 20] * 5] * 3
        file["image_embeddings"] = [[[0.5]] * 5] * 3
        file["album_ids"] = ["A", "A", "B"]
        file["image_ids"] = [list(photos) for _, _, photos, _ in STORIES[:3]]
    run = write_run(tmp_path / "run", [1.0], data=str(layout))
    told = [f"told {story} {place} ." for story in range(3) for place in range(5)]
    run.hypotheses("greedy", "test").write_text("".join(f"{line}\n" for line in told))
    run.story_hypotheses("greedy", "test").write_text("x\n" * 3)
    run.references("test").write_text("".join(f"cut {n} .\n" for n in range(15)))
    return run, layout


def test_a_run_s_first_story_of_an_album_against_all_uncut_ones(run):
    stories = RunStories(run[0], "test", "greedy", run[1])
    assert first_of_each(stories.albums) == {"A": 0, "B": 2}
    assert first_of_each(stories.sequences) == {"a_b_c_d_e": 0, "f_g_h_i_j": 2}
    assert [len(stories.by_album[album]) for album in "AB"] == [3, 1]
    assert stories.by_album["A"][2].startswith("dropped by the reader 0 . dropped")
    assert [text[:14] for text in stories.by_sequence["a_b_c_d_e"]] == [
        "long uncut sen",
        "another 0 . an",
    ]


def test_the_scores_file_names_its_protocols(run, monkeypatch):
    monkeypatch.setattr(scores.RunStories, "scored", quick_scores)
    written = score_run(run[0], "test", "greedy", run[1])
    assert json.loads(run[0].scores("greedy", "test").read_text()) == written
    assert written["protocols"]["original-2018-story"]["texts"] == 3
    assert written["counts"] == {"stories": 3, "albums": 2, "photo_sequences": 2}
    assert written["diversity"]["told"]["duplicate_stories"] == 0
    assert written["missing"] == ["no METEOR here"]
    assert "pycocoevalcap" in written["versions"]
    figures = run[0].all_scores()["greedy test"]
    assert set(figures) == {
        "original-2018-story BLEU-4",
        "original-2018-story BLEU-4 with brevity penalty",
    }
    lines = report(written).splitlines()
    assert lines[1].split() == ["original-2018-story", "BLEU-4", "0.00", "0.00", "to", "0.00", "3"]
    assert lines[-1] == "METEOR is missing: no METEOR here"


def quick_scores(stories):
    from generation import protocols

    def no_meteor(*_):
        raise protocols.MeteorMissingError("no METEOR here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "meteor", no_meteor)
        told = [" ".join(story) for story in stories.told]
        scored = protocols.original_2018(told, [" ".join(story) for story in stories.cut])
    return {"original-2018-story": (scored, stories.albums)}


def test_another_number_of_stories_is_refused(run):
    run[0].references("test").write_text("cut .\n" * 10)
    with pytest.raises(
        ValueError, match=r"3 test stories were told, .*_test\.hdf5 holds 3, original_test\.txt 2"
    ):
        RunStories(run[0], "test", "greedy", run[1])


def test_stories_that_know_no_albums_can_be_scored_by_files(run):
    run, layout = run
    with h5py.File(layout.stories("test"), "r+") as file:  # as the original's
        del file["album_ids"]
    lines = scores_or_why_not(run, "greedy", "test", layout)
    assert "lacks album_ids" in lines[0]
    command = shlex.split(lines[1])
    hypotheses, references = command[-2:]
    assert len(pair_lines(read_lines(hypotheses), read_lines(references), "sentence")[0]) == 15
