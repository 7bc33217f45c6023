import json
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.layout import DataLayout
from generation.references import read_references, text_of
from generation.story_files import (
    FORMATS,
    NamedStory,
    read_order,
    read_run,
    read_system,
    stories_by,
    tokenised,
    write_stories,
)

ONE, TWO = "1_2_3_4_5", "6_7_8_9_10"
# The album 70 has two stories of the same photos; the id of the third is that of the other album.
ANNOTATED = [("100", "70", ONE, "a ."), ("101", "70", ONE, "b ."), ("71", "71", TWO, "c .")]


def write(path, contents):
    path.write_text(json.dumps(contents))
    return path


def annotations(folder, stories=ANNOTATED):
    sentences = [
        {
            "story_id": story_id,
            "album_id": album,
            "photo_flickr_id": photo,
            "worker_arranged_photo_order": place,
            "text": text,
        }
        for story_id, album, sequence, text in stories
        for place, photo in enumerate(sequence.split("_"))
    ]
    return write(folder / "sis.json", {"annotations": [[sentence] for sentence in sentences]})


@pytest.fixture
def human(tmp_path):
    return read_references(annotations(tmp_path))


def test_annotations_know_photos_albums_ids_and_sentences(human):
    assert human.of("vist-sequence") == {ONE: [["a ."] * 5, ["b ."] * 5], TWO: [["c ."] * 5]}
    assert human.of("vist-album") == {"70": [["a ."] * 5, ["b ."] * 5], "71": [["c ."] * 5]}
    assert human.albums == {ONE: "70", TWO: "71"}
    assert human.order == [ONE, ONE, TWO]
    assert text_of(human.of("vist-album")["71"][0]) == "c . c . c . c . c ."


@pytest.mark.parametrize(
    ("contents", "sequences", "albums"),
    [
        ({"70": {ONE: ["a"]}, "71": {TWO: ["b"]}}, [ONE, TWO], {ONE: "70", TWO: "71"}),
        ({ONE: ["a"], TWO: [["b", "c"]]}, [ONE, TWO], {}),
        ({f"70_{ONE}": ["a"], f"71_{TWO}": ["b"]}, [ONE, TWO], {ONE: "70", TWO: "71"}),
        ({"1_2": ["a"], "3_4": ["b"]}, ["1_2", "3_4"], {}),
    ],
)
def test_references_have_several_forms(tmp_path, contents, sequences, albums):
    references = read_references(write(tmp_path / "human.json", contents))
    assert list(references.of("vist-sequence")) == sequences
    assert references.albums == albums


def test_references_of_albums(tmp_path):
    path = write(tmp_path / "human.json", {"70": ["a", " "], "my_trip": [""]})
    references = read_references(path)
    assert references.of("vist-album") == {"70": ["a"]}
    assert references.empty == ["70", "my_trip"]
    with pytest.raises(InputError, match=r"needs references by photo sequences, .*70"):
        references.of("vist-sequence")


@pytest.mark.parametrize(
    "wrong",
    [["a"], {}, {"70": {}}, {"70": "a"}, {"70": {ONE: "a"}}, {"70": [1]}, {"70": ["a" * 20_001]}],
)
def test_other_references_are_refused(tmp_path, wrong):
    with pytest.raises(InputError, match=r"human\.json"):
        read_references(write(tmp_path / "human.json", wrong))


ENTRY = {"album_id": "70", "photo_sequence": [1, 2, 3, 4, 5], "story_text_normalized": "x"}


@pytest.mark.parametrize(
    "contents",
    [
        {"team_name": "t", "output_stories": [ENTRY]},
        {"70": {ONE: "x"}},
        {ONE: "x"},
        {ONE: ["x"]},
        {f"70_{ONE}": "x"},
        {"100": "x", "101": "the first one counts"},
        {"100": "x", "71": "y"},
    ],
)
def test_a_form_is_told_by_its_structure_and_names(tmp_path, human, contents):
    system = read_system(write(tmp_path / "s.json", contents), human)
    assert (system.protocol, system.stories[ONE]) == ("vist-sequence", "x")
    assert stories_by("vist-album", system, human)["70"] == "x"


def test_stories_of_albums(tmp_path, human):
    # 71 is the id of a story, too, but 70 is not.
    system = read_system(write(tmp_path / "s.json", {"70": ["x"], "71": ["y", "z"]}), human)
    assert (system.protocol, system.stories) == ("vist-album", {"70": "x", "71": ["y", "z"]})
    with pytest.raises(InputError, match=r"s\.json has stories by albums such as 70, expected ph"):
        stories_by("vist-sequence", system, human)


def test_what_has_no_reference_or_is_empty_is_named(tmp_path, human):
    path = write(tmp_path / "s.json", {ONE: " ", "1_1_1_1_1": "x", TWO: "y"})
    system = read_system(path, human)
    assert (system.read, system.unknown, system.empty()) == (3, ["1_1_1_1_1"], [ONE])


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"9_9": "x"}, r"s\.json: none of its 1 stories, the first of which is 9_9, is in .*sis"),
        ({"9": {"8_7": "x"}}, "the first of which is 8_7, .* photo sequences and albums such as"),
        ({ONE: 5}, f"{ONE} has 5, expected a story"),
        ({ONE: "\ud800"}, f"{ONE} has .*, expected a story"),
        (["x"], "challenge's form"),
        ({"output_stories": {}}, "output_stories is {}, expected a list"),
        ({"output_stories": [{"album_id": 1}]}, r"output_stories\[0\] has no 'photo_sequence'"),
        ({"output_stories": [ENTRY | {"photo_sequence": ONE}]}, "photo_sequence '1_2_3_4_5', exp"),
        ({"output_stories": [ENTRY | {"photo_sequence": [[1]]}]}, r"photo_sequence \[\[1\]\], exp"),
        ({"output_stories": [ENTRY | {"album_id": None}]}, "has the album_id None"),
        ({ONE: "a " * 10_001}, f"story of {ONE} has 20,002 characters; .* has at most 20,000"),
        ({"output_stories": []}, "none of its 0 stories"),
    ],
)
def test_other_files_are_refused(tmp_path, human, contents, message):
    with pytest.raises(InputError, match=message):
        read_system(write(tmp_path / "s.json", contents), human)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"70": "x", "71": "y", "70": "z"}', "it has the name '70' twice"),
        ("[" * 10**5, "cut short or not JSON"),
        ("[" * 400 + "]" * 400, r"s\.json holds \[\[\[\[\[\[\[\.\.\.\]\]"),
        ('{"70": 1' + "0" * 5000 + "}", "Exceeds the limit"),
        ('{"70": NaN}', "70 has nan, expected a story"),
    ],
)
def test_odd_json_is_refused_in_few_words(tmp_path, human, text, message):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_system(tmp_path / "s.json", human)
    assert len(str(refused.value)) < 500


def test_mutated_files_are_read_or_refused(tmp_path):
    script = Path(__file__).parents[1] / "fuzz_stories.py"
    command = [sys.executable, script, "--mutations", "40", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()[-8:]) == (0, "0 failed"), done.stdout


def test_text_in_another_encoding_is_refused(tmp_path, human):
    for name in ("s.json", "s.txt"):
        (tmp_path / name).write_bytes(b'{"1": "caf\xe9"}')
        with pytest.raises(InputError, match=rf"{name} is .*utf-8"):
            read_system(tmp_path / name, human)


def test_the_lines_of_a_text_have_the_order_of_the_references(tmp_path, human):
    path = tmp_path / "s.txt"
    path.write_text("x\ny\nz\n")
    assert read_system(path, human).stories == {ONE: "x", TWO: "z"}
    path.write_text("x\ny\n" * 3)
    assert read_system(path, human).stories == {ONE: ["x", "y"], TWO: ["x", "y"]}
    assert read_system(path, human, [TWO, ONE]).stories[TWO] == ["x", "y", "x"]
    path.write_text("long \n" * 30_000)
    with pytest.raises(InputError, match=rf"s\.txt: the story of {ONE} has 59,999 characters"):
        read_system(path, human)
    path.write_text("x\ny\n")
    with pytest.raises(InputError, match=r"s\.txt has 2 lines for the 3 stories of"):
        read_system(path, human)
    albums = read_references(write(tmp_path / "a.json", {"70": ["a"], "71": ["b"]}))
    assert read_system(path, albums).stories == {"70": "x", "71": "y"}


def test_raw_text_is_tokenised():
    stories = {"1": "I'm happy.", "2": ["We left.", "I don't know."]}
    assert tokenised(stories) == {"1": "i 'm happy .", "2": ["we left .", "i do n't know ."]}


STORIES = [
    NamedStory(["x .", "y ."], album, tuple(sequence.split("_")), story_id)
    for story_id, album, sequence, _ in ANNOTATED
]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read(tmp_path, human, form):
    path = tmp_path / "s.json"
    write_stories(path, form, STORIES, "team")
    system = read_system(path, human)
    keys = ["70", "71"] if form == "albums" else [ONE, TWO]
    assert system.stories == {key: "x . y ." for key in keys}


def test_the_challenge_s_form(tmp_path):
    write_stories(tmp_path / "s.json", "challenge", STORIES, "team")
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["team_name"] == "team"
    assert len(written["output_stories"]) == 2
    assert written["output_stories"][1] == {
        "album_id": "71",
        "photo_sequence": ["6", "7", "8", "9", "10"],
        "story_text_normalized": "x . y .",
    }


@pytest.fixture
def run(tmp_path):
    layout = DataLayout(tmp_path / "data")
    layout.stories("test").parent.mkdir(parents=True)
    with h5py.File(layout.stories("test"), "w") as file:
        file["story_ids"] = [71, 100]
        file["story_sentences"] = [[[1, 2] + [0] * 20] * 5] * 2
        file["image_embeddings"] = [[[0.5]] * 5] * 2
        file["album_ids"] = ["71", "70"]
        file["image_ids"] = [TWO.split("_"), ONE.split("_")]
    run = write_run(tmp_path / "run", [1.0], data=str(layout))
    run.hypotheses("greedy", "test").write_text("x\n" * 5 + "y\n" * 5)
    run.story_hypotheses("greedy", "test").write_text("x x x x x\ny y y y y\n")
    return run, layout


def test_the_stories_of_a_run(run):
    run, layout = run
    stories = read_run(run, "test", "greedy", layout)
    assert stories[0] == NamedStory(["x"] * 5, "71", tuple(TWO.split("_")), "71")
    assert read_order(layout, "test") == [TWO, ONE]
    run.hypotheses("greedy", "test").write_text("x\n" * 5)
    run.story_hypotheses("greedy", "test").write_text("x x x x x\n")
    with pytest.raises(InputError, match=r"1 test stories, .*_test\.hdf5 holds 2; generate"):
        read_run(run, "test", "greedy", layout)
