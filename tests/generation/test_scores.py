import json
import re
import shlex
import sys
from pathlib import Path

import h5py
import pytest
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.files import read_json
from data_reader.layout import DataLayout
from data_reader.run_files import Share
from generation import metrics, scores, story_scores
from generation.dhm import read_story_scores
from generation.metrics import METRICS, Metric, Texts, shown, with_metrics
from generation.run_stories import RunStories, first_of_each
from generation.scored_files import (
    check_keys,
    pair_lines,
    read_lines,
)
from generation.scores import compare, report, score_run
from generation.split_stories import scores_or_why_not

PAGE = Path(__file__).parents[2] / "docs" / "scores.md"


def test_only_a_line_feed_ends_a_line(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("one\r two\u2028 three\r\n\né\n".encode())
    assert read_lines(path) == ["one\r two\u2028 three\r", "", "é"]


def test_a_byte_order_mark_is_not_a_word(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffone\n".encode())
    assert read_lines(path) == ["one"]
    path = tmp_path / "stories.json"
    path.write_bytes('\ufeff{"1": "one"}'.encode())
    assert read_json(path) == {"1": "one"}


@pytest.mark.parametrize(
    ("protocol", "right", "wrong"),
    [
        ("vist-album", "721575", "1_2_3_4_5"),
        ("vist-album", "my_trip", "1_2_3_4_5"),
        ("vist-sequence", "1_2_3_4_5", "721575"),
        ("vist-sequence", "my trip/1 ä_b", "721575"),
    ],
)
def test_the_keys_of_another_protocol_are_refused(protocol, right, wrong):
    check_keys("a.json", protocol, [right])
    with pytest.raises(InputError, match=f"a.json: {protocol} takes .* as key, got {wrong}"):
        check_keys("a.json", protocol, [right, wrong])


@pytest.mark.parametrize(("contents", "message"), [(b"\n \n", "no text"), (b"\xff", "not UTF-8")])
def test_a_file_without_text_is_refused(tmp_path, contents, message):
    (tmp_path / "lines.txt").write_bytes(contents)
    with pytest.raises(InputError, match=message):
        read_lines(tmp_path / "lines.txt")


def test_texts_that_are_too_long_are_refused(tmp_path):
    (tmp_path / "lines.txt").write_text("one\n" + "x" * 20_001)
    with pytest.raises(
        InputError, match=r"lines\.txt: line 2 has 20,001 characters; a sentence or"
    ):
        read_lines(tmp_path / "lines.txt")
    with pytest.raises(InputError, match=r"the text xxx+\.\.\. has 20,001 characters"):
        Texts(["y"], [["y", "x" * 20_001]])


def test_json_is_not_a_text_file(tmp_path):
    with pytest.raises(InputError, match="expected a text file"):
        read_lines(write(tmp_path / "predictions.json", {"1": "x"}))


def test_sentences_are_joined_to_stories():
    sentences, human = list("abcdefghij"), list("klmnopqrst")
    assert pair_lines(sentences, human, "sentence") == (sentences, human)
    joined = (["a b c d e", "f g h i j"], ["k l m n o", "p q r s t"])
    assert pair_lines(sentences, human, "story") == joined
    assert pair_lines(["one story", "two"], human, "story") == (["one story", "two"], joined[1])
    joined = (["a b c d", "e f g h"], ["k l m n", "o p q r"])
    assert pair_lines(sentences[:8], human[:8], "story", 4) == joined


@pytest.mark.parametrize(
    ("generated", "human", "level"), [(9, 10, "sentence"), (3, 10, "story"), (9, 9, "story")]
)
def test_lines_that_do_not_match_are_refused(generated, human, level):
    with pytest.raises(InputError, match=f"There are {generated} .* for {human} references"):
        pair_lines(["a"] * generated, ["b"] * human, level)


def write(path, contents):
    path.write_text(json.dumps(contents))
    return path


STORIES = [  # id, album, photos, text of each sentence
    ("7", "A", "abcde", "long uncut sentence {n} ."),
    ("8", "A", "abcde", "another {n} ."),
    ("9", "B", "fghij", "last {n} ."),
    ("6", "A", "aaaab", "dropped by the reader {n} ."),
]


@pytest.fixture
def run(tmp_path):
    """Three generated stories; the reader dropped a fourth."""
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
    lines = [f"generated {story} {place} .\n" for story in range(3) for place in range(5)]
    run.hypotheses("greedy", "test").write_text("".join(lines))
    run.story_hypotheses("greedy", "test").write_text("x\n" * 3)
    run.references("test").write_text("".join(f"cut {n} .\n" for n in range(15)))
    run.vocabulary_file.touch()
    run.features_file.touch()
    return run, layout


def test_the_first_story_of_an_album_is_compared_with_all_uncut_ones(run):
    stories = RunStories(run[0], "test", "greedy", run[1])
    assert first_of_each(stories.albums) == {"A": 0, "B": 2}
    assert first_of_each(stories.sequences) == {tuple("abcde"): 0, tuple("fghij"): 2}
    assert [len(stories.by_album[album]) for album in "AB"] == [3, 1]
    assert stories.by_album["A"][2].startswith("dropped by the reader 0 . dropped")
    assert [text[:14] for text in stories.by_sequence[tuple("abcde")]] == [
        "long uncut sen",
        "another 0 . an",
    ]


def test_the_scores_file_has_a_summary_and_details_by_protocol(run, no_java):
    run, layout = run
    run.decoding("greedy", "test").write_text('{"method": "greedy"}')
    written = score_run(run, "test", "greedy", layout)
    assert json.loads(run.scores("greedy", "test").read_text()) == written
    summary = [name for name, value in written.items() if isinstance(value, float)]
    assert (
        summary
        == list(written)[: len(summary)]
        == [
            "original-2018-sentence BLEU-4",
            "original-2018-sentence BLEU-4 with brevity penalty",
            "original-2018-story BLEU-4",
            "original-2018-story BLEU-4 with brevity penalty",
            "original-2018-story RoViST-NR",
            "vist-album BLEU-4",
            "vist-album ROUGE-L",
            "vist-album CIDEr",
            "vist-album RoViST-NR",
            "vist-sequence RoViST-NR",
        ]
    )
    texts = {name: of_protocol["texts"] for name, of_protocol in written["protocols"].items()}
    assert list(texts.values()) == [15, 3, 2, 2]
    row = written["protocols"]["vist-album"]["scores"]["CIDEr"]
    assert row["value"] == written["vist-album CIDEr"]
    assert (row["is_share"], row["higher_is_better"]) == (False, True)
    low, high = row["interval"]
    assert low <= row["value"] <= high
    assert written["counts"] == {"stories": 3, "albums": 2, "photo_sequences": 2}
    assert written["decoding"] == {"method": "greedy"}
    assert written["diversity"]["generated"]["duplicate_stories"] == 0
    assert "pycocoevalcap" in written["versions"]
    lines = report(written).splitlines()
    assert " ".join(lines[1].split()) == "original-2018-sentence BLEU-4 0.00 0.00 to 0.00 15"
    assert len([line for line in lines if " to " in line]) == len(summary)
    assert lines[-1].startswith("METEOR is missing: METEOR needs Java: no java")
    assert lines[-1].endswith(f" ({', '.join(written['protocols'])})")


def test_the_sums_of_each_album_are_kept_for_comparisons(run, no_java):
    score_run(run[0], "test", "greedy", run[1])
    sums = json.loads(run[0].album_sums("greedy", "test").read_text())
    assert list(sums) == [name for name in run[0].all_scores()["greedy test"] if name in sums]
    by_album = sums["original-2018-story RoViST-NR"]
    assert by_album["albums"] == ["A", "B"]
    assert [row[1:] for row in by_album["sums"]] == [[2, 2], [1, 1]]  # that are known, texts


def test_shares_are_known_among_the_scores_of_a_run(run, no_java):
    score_run(run[0], "test", "greedy", run[1])
    of_run = run[0].all_scores()["greedy test"]
    shares = {name for name, score in of_run.items() if isinstance(score, Share)}
    assert set(of_run) - shares == {"vist-album CIDEr"}
    assert (shown(Share(0.375)), shown(0.375)) == ("37.50", "0.38")


@pytest.fixture
def own(tmp_path, monkeypatch, no_java):
    """The example of docs/scores.md as a file that can be imported; "module:name"."""
    name = "repeated_words.py"
    [block] = re.findall(rf"```python\n(# {name}\n.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / name).write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    yield f"{name.removesuffix('.py')}:METRIC"
    sys.modules.pop(name.removesuffix(".py"), None)


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["scores", *map(str, arguments)])
    scores.main()
    return capsys.readouterr().out


def test_the_page_s_example_is_a_score_like_the_others(run, own, monkeypatch, capsys):
    from training.compare import results_of
    from training.report import add_result

    run, layout = run
    of_run = ("--run", run.path, "--data", layout, "--metric", own)
    lines = command(monkeypatch, capsys, *of_run).splitlines()
    # One sentence of each story, such as "generated 0 0 .", repeats one of 20 words; in a story,
    # 13 of 20 words are repeated.
    [by_sentence, by_story, *_] = [" ".join(x.split()) for x in lines if "repeated words" in x]
    assert by_sentence == "original-2018-sentence repeated words 5.00 5.00 to 5.00 15"
    assert by_story == "original-2018-story repeated words 65.00 65.00 to 65.00 3"
    value = run.all_scores()["greedy test"]["vist-album repeated words"]
    assert isinstance(value, Share)
    assert value == 26 / 40
    assert results_of([run])["vist-album repeated words greedy test"] == [value]
    table = add_result(run, run.path.parent, 15).read_text().splitlines()
    assert "vist-album repeated words greedy test" in table[0].split(",")
    against = command(monkeypatch, capsys, *of_run, "--against", run.path).splitlines()
    assert [line.split()[-1] for line in against if "repeated words" in line] == ["better"] * 4
    without = command(monkeypatch, capsys, *of_run[:-2]).splitlines()
    assert without[-1].startswith(
        "  no longer in it, for want of --metric: original-2018-sentence re"
    )


def test_the_page_s_example_scores_files_too(own, tmp_path, monkeypatch, capsys):
    files = [
        write(tmp_path / "predictions.json", {"1": "a b a c"}),
        write(tmp_path / "references.json", {"1": ["a b a c"]}),
    ]
    out = command(monkeypatch, capsys, "vist-album", *files, "--metric", own)
    assert "repeated words 0.25" in out.splitlines()


def test_the_page_describes_the_scores_as_they_are():
    better = {True: "higher", False: "lower", None: "neither"}
    row = r"^\| `(.*?)` \| (`.*?) \| ((?:0|up) to .*?) \| (.*?) \| (.*?) \|$"
    listed = {name: rest for name, *rest in re.findall(row, PAGE.read_text(), re.MULTILINE)}
    found = set()
    for metric in METRICS:
        name = re.sub(r"^BLEU-\d", "BLEU-1` to `BLEU-4", metric.name)
        if name in listed:
            protocols, values, way, needs = listed[name]
            assert set(metric.protocols) <= set(re.findall(r"`(.+?)`", protocols))
            assert ("(in percent)" in values) == metric.is_share
            assert (way, needs.strip()) == (better[metric.higher_is_better], metric.needs)
            found.add(name)
    assert len(found) == len(listed) == 6


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere_at_all:METRIC", "there is no module nowhere_at_all"),
        ("generation.metrics:NOTHING", "has no NOTHING"),
        ("generation.metrics:METRICS", "is a tuple, expected a Metric"),
        ("generation.metrics", "takes MODULE:NAME, got 'generation.metrics'"),
        (".relative:METRIC", "takes MODULE:NAME"),
        ("", "takes MODULE:NAME, got ''"),
    ],
)
def test_an_own_score_that_is_none_is_refused(path, message):
    with pytest.raises(InputError, match=message):
        with_metrics([path])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["vist-album", "a", "b", "--against", "run"], "--against compares two runs"),
        (["original-2018", "a", "b", "--sentences-per-story", "3"], "belongs to --level story"),
        (["--run", "run", "--against-decoding", "beam3"], "--against-decoding belongs to --agai"),
    ],
)
def test_an_option_without_meaning_is_refused(monkeypatch, capsys, options, message):
    with pytest.raises(InputError, match=message):
        command(monkeypatch, capsys, *options)


def test_an_own_score_of_another_protocol_is_refused(tmp_path, monkeypatch, capsys):
    own = Metric("own", lambda texts: [1.0], protocols=("original-2018-story",))
    monkeypatch.setattr(metrics, "OWN", own, raising=False)
    files = [write(tmp_path / "p.json", {"1": "a"}), write(tmp_path / "r.json", {"1": ["a"]})]
    with pytest.raises(InputError, match="own is a score by original-2018-story, not by vist-alb"):
        command(monkeypatch, capsys, "vist-album", *files, "--metric", "generation.metrics:OWN")
    with pytest.raises(InputError, match="The score own needs a tuple of protocols"):
        Metric("own", lambda texts: [1.0], protocols="vist-album")


def test_an_own_score_needs_a_name_of_its_own(monkeypatch):
    taken = Metric("CIDEr", lambda texts: [1.0] * len(texts.hypotheses))
    monkeypatch.setattr(metrics, "OWN", taken, raising=False)
    with pytest.raises(InputError, match="vist-album would have 2 scores named CIDEr; rename"):
        with_metrics(["generation.metrics:OWN"])


def test_two_decodings_are_compared_by_the_names_of_scores(run, no_java):
    stories = RunStories(run[0], "test", "greedy", run[1])
    comparison, missing = compare(["one", "other"], [stories, stories])
    assert list(comparison["vist-album"]) == ["BLEU-4", "ROUGE-L", "CIDEr", "RoViST-NR"]
    assert comparison["vist-album"]["CIDEr"]["difference"] == 0
    assert list(comparison["vist-sequence"]) == ["RoViST-NR"]
    assert list(missing) == [f"{protocol} METEOR" for protocol in comparison]


def test_a_score_that_one_side_lacks_is_missing_and_said(run, monkeypatch, capsys, no_java):
    run, layout = run
    # A Java that is killed when the first text, which the seventh argument names, is "other ...".
    java = run.path.parent / "java"
    java.write_text(
        """#!/bin/sh
        [ "$1" = -version ] && exit 0
        read first < "$7"
        case "$first" in other*) kill -9 $$;; esac
        while read line; do echo "Segment 1 score: 0.5"; done < "$7"
        echo "Final score: 0.5"
        """
    )
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(java.parent))
    for copied in (run.hypotheses, run.story_hypotheses):
        text = copied("greedy", "test").read_text()
        copied("beam3", "test").write_text(text.replace("generated", "other"))
    of_run = ("--run", run.path, "--data", layout, "--against", run.path)
    both = command(monkeypatch, capsys, *of_run)
    assert both.count(" METEOR      0.0000") == 4
    assert "missing" not in both
    lines = command(monkeypatch, capsys, *of_run, "--against-decoding", "beam3").splitlines()
    assert not [line for line in lines[:-1] if "METEOR" in line]
    assert lines[-1] == (
        "METEOR is missing: run beam3: METEOR gave no score: it printed nothing "
        "(original-2018-sentence, original-2018-story, vist-album, vist-sequence)"
    )


def test_originals_of_other_stories_are_not_compared(run, no_java):
    run, layout = run
    whole = RunStories(run, "test", "greedy", layout)
    lines = run.references("test").read_text().replace("cut 6 .", "")
    run.references("test").write_text(lines)
    without = RunStories(run, "test", "greedy", layout)
    assert without.scored()["original-2018-sentence"].texts.left_out == ["7"]
    with pytest.raises(InputError, match="only one of the two has a human text for 7; generate"):
        compare(["one", "other"], [whole, without])


def test_stories_are_scored_one_by_one(run, tmp_path, monkeypatch, capsys):
    run, layout = run

    def scored(name, *source):
        arguments = ["non-redundancy", tmp_path / name, *source]
        monkeypatch.setattr(sys, "argv", ["story_scores", *map(str, arguments)])
        story_scores.main()
        return read_story_scores(tmp_path / name, "R_score")

    of_run = scored("R.csv", "--run", run.path)
    # Sentences such as "generated 2 0" and "generated 2 1" share two of four words; those of the
    # second story with "generated 1 1" more: 1 x 2 pairs of three words.
    assert of_run["9"] == pytest.approx(1 - (6 * 2 / 4 + 4 * 3 / 3) / 10 / 2)
    assert list(of_run) == ["7", "8", "9"]
    human = scored("R.json", "--human", layout)
    assert human["9"] == pytest.approx(1 - 1 / 3 / 2)  # "last 0", "last 1", ...
    assert list(human) == ["7", "8", "9", "6"]
    run.story_hypotheses("greedy", "test").write_text("x\n")
    with pytest.raises(InputError, match=r"test\.txt holds 1 stories, .*test\.hdf5 3; generate"):
        scored("R.csv", "--run", run.path)


def test_another_number_of_stories_is_refused(run):
    run[0].references("test").write_text("cut .\n" * 10)
    with pytest.raises(
        ValueError, match=r"run has 3 test stories, but original_test\.txt holds 2; generate them"
    ):
        RunStories(run[0], "test", "greedy", run[1])


def test_stories_without_albums_can_be_scored_by_files(run):
    run, layout = run
    with h5py.File(layout.stories("test"), "r+") as file:  # as the original's
        del file["album_ids"]
    lines = scores_or_why_not(run, "greedy", "test", layout)
    assert "lacks album_ids" in lines[0]
    command = shlex.split(lines[1])
    hypotheses, references = command[-2:]
    assert len(pair_lines(read_lines(hypotheses), read_lines(references), "sentence")[0]) == 15
