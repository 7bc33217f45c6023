"""Stories of one's own, from their file to a data folder that the reader takes."""

import csv
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.image_data_reader import find_photo_files
from data_reader.layout import DataLayout
from data_reader.sis_datareader import index_stories, make_vocabulary, read_stories
from dataset.own_stories import photos as own_photos
from dataset.own_stories.importing import import_stories
from dataset.own_stories.reading import read_own_stories

JPEG = b"\xff\xd8\xff\xe0 a photo of "
SENTENCES = ["We didn't go.", "It rained!"]


@pytest.fixture
def folder(tmp_path):
    """A folder with the photos a.jpg, b.jpg, c.jpg and d.jpg."""
    for name in "abcd":
        write_photo(tmp_path, f"{name}.jpg")
    return tmp_path


@pytest.fixture
def layout(tmp_path):
    return DataLayout(tmp_path / "data")


def write_photo(folder, name, start=JPEG):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(start + name.encode())
    return path


def write_lines(folder, *lines, name="stories.jsonl"):
    path = folder / name
    path.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    )
    return path


def story(*photos, sentences=SENTENCES, split="train", **fields):
    return {"photos": list(photos), "sentences": sentences, "split": split} | fields


def imported_stories(layout, split="train"):
    return read_stories(layout.annotations(split)).stories


def skipped_rows(layout):
    with (layout.root / "skipped_import.csv").open(newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def names_in(layout, split="train"):
    return sorted(path.name for path in layout.photos(split).iterdir() if path.is_file())


# Stories in VIST's format


def test_a_story_by_value(folder, layout):
    path = write_lines(folder, story("a.jpg", "b.jpg", story_id="night/1", album_id="x"))
    import_stories(path, layout)
    assert json.loads(layout.annotations("train").read_text()) == {
        "info": {"imported_from": "stories.jsonl", "photos_per_story": 2, "seed": 7},
        "type": "story-in-sequence",
        "albums": [{"id": "x"}],
        "images": [{"id": "a", "album_id": "x"}, {"id": "b", "album_id": "x"}],
        "annotations": [
            [
                {
                    "original_text": original,
                    "album_id": "x",
                    "photo_flickr_id": photo,
                    "story_id": "night/1",
                    "tier": "story-in-sequence",
                    "worker_arranged_photo_order": order,
                    "text": text,
                }
            ]
            for order, (photo, original, text) in enumerate(
                [
                    ("a", "We didn't go.", "we did n't go ."),
                    ("b", "It rained!", "it rained !"),
                ]
            )
        ],
    }
    assert not layout.annotations("valid").exists()


def test_the_reader_reads_it(folder, layout):
    lines = [story("a.jpg", "b.jpg"), story("c.jpg", "b.jpg", sentences=["One\n two\t", "Three"])]
    import_stories(write_lines(folder, *lines), layout)
    read = read_stories(layout.annotations("train"))
    assert read.photos_per_story == 2
    assert [(s.story_id, s.album_id, s.photo_ids, s.texts) for s in read] == [
        ("1", "1", ("a", "b"), ("we did n't go .", "it rained !")),
        ("2", "1", ("c", "b"), ("one two", "three")),
    ]
    assert sorted(find_photo_files(layout.photos("train"))) == ["a", "b", "c"]


def test_tokenised_sentences_stay(folder, layout):
    path = write_lines(folder, story("a.jpg", sentences=["The dog's  toy ."]))
    import_stories(path, layout, tokenise=str)
    assert imported_stories(layout)[0].texts == ("The dog's toy .",)


def test_csv_is_the_same_as_json_lines(folder, layout, tmp_path):
    path = write_lines(
        folder,
        "\ufefforder,story_id,sentence,photo,split,note\r",
        '2,n,"It rained,\n a lot!",b.jpg,val,\r',
        "5,m,Three,c.jpg,val,\r",
        '1,n,"We ""did"" go.",a.jpg,val,x\r',
        "\r",
        "6,m,Four,a.jpg,val,\r",
        name="stories.csv",
    )
    import_stories(path, layout)
    first, second = imported_stories(layout, "valid")
    assert (first.story_id, first.photo_ids) == ("n", ("a", "b"))
    assert first.texts == ("we `` did '' go .", "it rained , a lot !")
    assert (second.story_id, second.photo_ids, second.album_id) == ("m", ("c", "a"), "n")


def test_spaces_after_commas_and_capitals_in_the_first_line_are_no_matter(folder, layout):
    rows = ["Story_ID, Photo , sentence,,", '1, a.jpg, "One, two.",,', "1, b.jpg, Three.,,"]
    import_stories(write_lines(folder, *rows, name="stories.csv"), layout)
    [read] = imported_stories(layout)
    assert (read.photo_ids, read.texts) == (("a", "b"), ("one , two .", "three ."))


def test_ids_of_photos_in_place_of_files(folder, layout):
    lines = [{"photo_ids": ["flickr.1/x", 12], "sentences": SENTENCES, "story_id": 3}]
    assert import_stories(write_lines(folder, *lines), layout).photos_are_ids
    assert imported_stories(layout)[0].photo_ids == ("flickr.1/x", "12")
    rows = ["story_id,photo_id,sentence", "1,12,one", "1,13,two"]
    import_stories(write_lines(folder, *rows, name="s.csv"), layout)
    assert imported_stories(layout)[0].photo_ids == ("12", "13")
    assert not find_photo_files(layout.vist)


# Photos


def imported_ids(folder, layout, *names):
    lines = [story(name, sentences=["One."], story_id=name) for name in names]
    import_stories(write_lines(folder, *lines), layout)
    return [story.photo_ids[0] for story in imported_stories(layout)]


def test_ids_are_found_again_in_the_names(folder, layout):
    names = ["sub/a.jpg", "b.jpg", "day/../b.jpg", "10_o.jpg", "10_s.png", "IMG.2 (1).JPEG", "12_o"]
    for name in ("sub/a.jpg", "day/x.jpg", "10_o.jpg", "IMG.2 (1).JPEG"):
        write_photo(folder, name)
    for name in ("10_s.png", "12_o"):
        write_photo(folder, name, b"\x89PNG")
    ids = imported_ids(folder, layout, "a.jpg", *names)
    assert ids == ["a", "sub-a", "b", "b", "10-o", "10-s", "IMG-2-1", "12"]
    found = find_photo_files(layout.photos("train"))
    assert sorted(found) == sorted(set(ids))
    assert names_in(layout)[-1] == "sub-a.jpg"
    assert "12.png" in names_in(layout)
    assert "IMG-2-1.jpeg" in names_in(layout)
    assert all(len(paths) == 1 for paths in found.values())


def test_photos_that_only_their_endings_tell_apart_are_numbered(folder, layout):
    write_photo(folder, "a.png", b"\x89PNG")
    assert imported_ids(folder, layout, "a.jpg", "a.png") == ["a", "a-2"]
    assert imported_ids(folder, layout, "a.png", "a.jpg") == ["a-2", "a"]
    assert names_in(layout) == ["a-2.png", "a.jpg"]


def test_a_link_to_a_photo_is_that_photo(folder, layout):
    os.symlink("a.jpg", folder / "x.jpg")
    os.link(folder / "a.jpg", folder / "y.jpg")
    absolute = str(folder / "a.jpg")
    assert imported_ids(folder, layout, "x.jpg", "y.jpg", absolute) == ["a", "a", "a"]
    assert os.path.samefile(layout.photos("train") / "a.jpg", absolute)


def test_photos_of_another_file_system_are_copied(folder, layout, monkeypatch):
    def link(source, place):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(own_photos.os, "link", link)
    assert imported_ids(folder, layout, "a.jpg") == imported_ids(folder, layout, "a.jpg") == ["a"]
    assert names_in(layout) == ["a.jpg"]
    assert (layout.photos("train") / "a.jpg").read_bytes() == JPEG + b"a.jpg"


def test_an_id_never_becomes_that_of_another_photo(folder, layout):
    assert imported_ids(folder, layout, "a.jpg") == ["a"]
    (folder / "a.jpg").unlink()
    write_photo(folder, "a.jpg", JPEG + b"another one, ")
    assert imported_ids(folder, layout, "a.jpg") == ["a-2"]
    assert (layout.photos("train") / "a.jpg").read_bytes() == JPEG + b"a.jpg"


def test_a_file_in_the_place_of_a_photo_is_not_overwritten(folder, layout):
    (layout.photos("train") / "a.jpg").mkdir(parents=True)
    with pytest.raises(InputError, match=r"a\.jpg is there already"):
        imported_ids(folder, layout, "a.jpg")
    assert not layout.annotations("train").exists()


def test_what_is_in_two_splits_is_counted(folder, layout):
    lines = [story("a.jpg", "b.jpg"), story("b.jpg", "a.jpg", split="test", album_id="y")]
    imported = import_stories(write_lines(folder, *lines, story("c.jpg", "d.jpg")), layout)
    assert imported.shared == (1, 2)
    assert names_in(layout, "test") == names_in(layout)[:2] == ["a.jpg", "b.jpg"]


# Stories with flaws


def test_flawed_stories_are_listed_and_the_others_imported(folder, layout):
    write_photo(folder, "text.jpg", b"hello")
    (folder / "empty.jpg").touch()
    os.mkfifo(folder / "pipe.jpg")
    one = {"sentences": ["One."]}
    path = write_lines(
        folder,
        story("a.jpg", "b.jpg"),
        story("a.jpg", "none.jpg", story_id="s2"),
        story("text.jpg", "a.jpg"),
        story("empty.jpg", "a.jpg"),
        story("pipe.jpg", "a.jpg"),
        story("a.jpg", "b.jpg", "c.jpg"),
        story("a.jpg") | one,
        {"photo": "a.jpg"} | one,
        {"photos": "a.jpg"} | one,
        story(),
        story("a.jpg", "b.jpg", sentences=["One.", " \n"]),
        story("a.jpg", "", sentences=SENTENCES),
        story("a.jpg", "b.jpg", sentences=["One.", "half \udc80"]),
        story("a.jpg", "b.jpg", album_id=["x"]),
        story("a.jpg", "c.jpg"),
        story("a.jpg", "b.jpg", story_id=1.5),
    )
    assert len(import_stories(path, layout).stories["train"]) == 2
    assert [(s.story_id, s.photo_ids) for s in imported_stories(layout)] == [
        ("1", ("a", "b")),
        ("15", ("a", "c")),
    ]
    differ = "it has more or fewer photos than sentences"
    assert skipped_rows(layout) == [
        ("s2", "2", "a photo is missing", f"{folder}/none.jpg"),
        ("3", "3", "a photo is no photo", f"{folder}/text.jpg: begins with b'hell'"),
        ("4", "4", "a photo is no photo", f"{folder}/empty.jpg: empty file"),
        ("5", "5", "a photo is no photo", f"{folder}/pipe.jpg: no file"),
        ("6", "6", differ, "3 photos, 2 sentences"),
        ("7", "7", "1 photos instead of 2", ""),
        ("8", "8", "it has no 'photos'", "it has photo, sentences"),
        ("9", "9", "its 'photos' are no list of texts", "they are 'a.jpg'"),
        ("10", "10", "it has no photos", ""),
        ("11", "11", "a sentence is empty", "sentence 2"),
        ("12", "12", "a photo is not named", "photo 2"),
        ("13", "13", "an id, a path or a text can't be stored", "it has a NUL or half a character"),
        ("14", "14", "its 'album_id' is no text", "it is ['x']"),
        ("16", "16", "its 'story_id' is no text", "it is 1.5"),
    ]


def test_the_number_of_photos_is_what_most_stories_have_or_the_given_one(folder, layout):
    three = story("a.jpg", "b.jpg", "c.jpg", sentences=["1", "2", "3"])
    path = write_lines(folder, three, story("a.jpg", "b.jpg"), three)
    assert import_stories(path, layout).photos_per_story == 3
    assert import_stories(path, layout, photos_per_story=2).photos_per_story == 2
    assert skipped_rows(layout)[1] == ("3", "3", "3 photos instead of 2", "")
    with pytest.raises(InputError, match=r"No story can be imported: 3 photos instead of 4 \(2 of"):
        import_stories(path, layout, photos_per_story=4)
    assert len(imported_stories(layout)) == 1


# Flawed files

GOOD = json.dumps(story("a.jpg", "b.jpg"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, "{'photos'}"], r"line 2, column 2: no JSON \(Expecting property name"),
        ([GOOD, '{"photos":'], r"line 2, column 11: no JSON \(Expecting value\); .* on one line"),
        ([GOOD, "", "[1]"], r"line 3 is '\[1\]'; a story is a JSON object on one line"),
        ([GOOD, "9" * 5000], "line 2: no JSON"),
        ([GOOD, '{"split": "", "split": ""}'], "line 2: no JSON .*it has the name 'split' twice"),
        (["", " "], "holds no stories"),
        ([GOOD, GOOD.replace("train", "dev")], "line 2: the split is 'dev', expected train, valid"),
        ([GOOD, story("a.jpg", story_id="1")], "line 2 has the story id '1' of line 1"),
        ([GOOD, {"photo_ids": []}], "'photos' in line 1 and 'photo_ids' in line 2"),
    ],
)
def test_a_flawed_line_is_refused_with_its_number(folder, layout, lines, message):
    with pytest.raises(InputError, match=message):
        import_stories(write_lines(folder, *lines), layout)
    assert not layout.root.exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["story_id;photo;sentence"], "'story_id', 'photo', 'sentence'; it has 'story_id;photo;se"),
        (["story_id,photo,text", "1,a.jpg,x"], "lacks the columns 'sentence'; it has 'story_id',"),
        (["story_id,photo,photo_id,sentence"], "both columns photo and photo_id"),
        (["story_id,photo,sentence,photo"], "a column twice"),
        (["story_id,photo,sentence", "1,a.jpg"], "line 2 has 2 fields, expected 3: story_id"),
        (["story_id,photo,sentence", ",a.jpg,x"], "line 2: the story_id is empty"),
        (["story_id,photo,sentence", '1,a.jpg,"x'], "line 2 is no CSV: unexpected end of data"),
        (["story_id,photo,sentence,order", "1,a.jpg,x,"], "line 2: the order is '', expected a"),
        (
            ["story_id,photo,sentence,split", "1,a.jpg,x,", "1,b.jpg,x,test"],
            "story '1' has split '' in line 2 and 'test' in line 3",
        ),
        (["story_id,photo,sentence"], "holds no stories"),
    ],
)
def test_a_flawed_table_is_refused(folder, layout, lines, message):
    with pytest.raises(InputError, match=message):
        import_stories(write_lines(folder, *lines, name="stories.csv"), layout)
    assert not layout.root.exists()


def test_files_of_another_encoding_or_ending_are_refused(folder):
    path = folder / "stories.jsonl"
    path.write_bytes(f"{GOOD}\n".encode() + b'{"sentences": ["caf\xe9"]}')
    with pytest.raises(InputError, match="not UTF-8: line 2, byte 20"):
        read_own_stories(path)
    with pytest.raises(InputError, match=r"neither \.jsonl nor \.csv"):
        read_own_stories(folder / "stories.txt")
    with pytest.raises(InputError, match=r"is a folder; give a \.jsonl or \.csv file"):
        read_own_stories(folder)
    with pytest.raises(FileNotFoundError, match=r"none\.csv is missing"):
        read_own_stories(folder / "none.csv")
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(InputError, match=r"pipe\.csv is no regular file"):
        read_own_stories(folder / "pipe.csv")


# Importing again


def test_an_import_replaces_an_import(folder, layout):
    path = write_lines(folder, story("a.jpg", "b.jpg"), story("c.jpg", "d.jpg", split="val"))
    import_stories(path, layout)
    other = write_lines(folder, story("c.jpg", "a.jpg"), name="other.jsonl")
    assert import_stories(other, layout).replaced == ["stories.jsonl"]
    assert imported_stories(layout)[0].photo_ids == ("c", "a")
    assert not layout.annotations("valid").exists()
    assert names_in(layout) == ["a.jpg", "b.jpg", "c.jpg"]


def read_into(layout):
    """Make the vocabulary and the stories file of training stories about a.jpg and b.jpg."""
    layout.features("train").parent.mkdir(parents=True)
    with h5py.File(layout.features("train"), "w") as file:
        file["embeddings"] = np.zeros((2, 1), np.float32)
        file["image_ids"] = ["a", "b"]
    index_stories(layout, "train", make_vocabulary(layout), descriptions_needed=False)
    return [layout.stories("train"), layout.vocabulary, layout.word_frequencies]


def test_what_was_made_of_replaced_stories_is_removed(folder, layout):
    path = write_lines(folder, story("a.jpg", "b.jpg"))
    assert import_stories(path, layout).removed is None
    made = read_into(layout)
    assert import_stories(path, layout).removed is None  # the same stories
    assert all(file.is_file() for file in made)
    assert import_stories(write_lines(folder, story("b.jpg", "c.jpg")), layout).removed == made
    assert not any(file.exists() for file in made)


def test_a_vocabulary_from_elsewhere_stays(folder, layout):
    import_stories(write_lines(folder, story("a.jpg", "b.jpg")), layout)
    stories, vocabulary, frequencies = read_into(layout)
    frequencies.write_text('[["rained", 2]]')
    make_vocabulary(layout)
    vocabulary.write_text('{"idx_to_words": ["<NULL>", "<START>", "<END>", "<UNK>", "rained"]}')
    done = run(write_lines(folder, story("b.jpg")), "--data", layout.root, "--photos-per-story", 1)
    assert done.returncode == 2
    assert stories.is_file()  # nothing was imported
    done = run(write_lines(folder, story("b.jpg", "a.jpg")), "--data", layout.root)
    assert done.stdout.splitlines()[5:-4] == [
        "They replace the stories imported from stories.jsonl.",
        "Removed, since they were made of those stories:",
        f"  {stories}",
        f"warning: kept, since not made of those stories: {vocabulary}, {frequencies}; add "
        "--rebuild-vocabulary to python -m data_reader to count the words of the new ones.",
    ]
    assert vocabulary.is_file()


@pytest.mark.parametrize("contents", ['{"info": {"year": 2017}, "annotations": []}', "[]", ""])
def test_other_annotations_are_not_replaced(folder, layout, contents):
    path = layout.vist / "sis" / "val.story-in-sequence.json"
    path.parent.mkdir(parents=True)
    path.write_text(contents)
    with pytest.raises(InputError, match="is no import of stories"):
        import_stories(write_lines(folder, story("a.jpg", "b.jpg")), layout)
    assert path.read_text() == contents
    assert list(layout.root.rglob("*.*")) == [path]


def test_a_failure_leaves_the_earlier_annotations(folder, layout):
    path = write_lines(folder, story("a.jpg", "b.jpg"), story("c.jpg", "d.jpg", split="test"))
    import_stories(path, layout)
    before = {split: layout.annotations(split).read_bytes() for split in ("train", "test")}

    def fail(text):
        if calls.append(text) or len(calls) == 3:
            raise OSError(28, "No space left on device")
        return text

    calls = []
    with pytest.raises(OSError, match="No space"):
        import_stories(path, layout, tokenise=fail)
    assert {split: layout.annotations(split).read_bytes() for split in before} == before
    assert not list(layout.root.rglob("*.partial*"))


def test_one_import_at_a_time(folder, layout):
    path = write_lines(folder, story("a.jpg", "b.jpg"))
    with (
        exclusive_lock(layout.vist),
        pytest.raises(InputError, match=r"Another import into .*data is running"),
    ):
        import_stories(path, layout)


# The command


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dataset.import_stories", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_says_what_it_did_and_what_comes_next(folder, layout):
    lines = [story("a.jpg", "b.jpg"), story("c.jpg", "d.jpg"), story("a.jpg", sentences=["One."])]
    done = run(write_lines(folder, *lines, story("a.jpg", "x.jpg")), "--data", layout.root)
    assert (done.returncode, done.stderr) == (0, "")
    data = layout.root
    assert done.stdout.splitlines() == [
        f"2 stories of 2 photos, as most stories have (--photos-per-story), in {data}",
        "train: 2 stories, 2 albums, 4 photos",
        "valid: 0 stories, 0 albums, 0 photos",
        "test: 0 stories, 0 albums, 0 photos",
        "warning: no stories for valid and test; give stories that split, or more albums to split "
        "(stories that share a photo are split as one).",
        f"2 stories skipped, listed in {data}/skipped_import.csv:",
        "  1: 1 photos instead of 2",
        "  1: a photo is missing",
        "Next:",
        f"  python -m dataset.image_features --extractor alexnet --data {data}"
        "    # or another extractor",
        f"  python -m data_reader --data {data} --no-descriptions",
        f"  python -m dataset --data {data}    # what is there, and the next step",
    ]


def test_the_command_refuses_in_one_line(folder):
    done = run(write_lines(folder, "no JSON"), "--data", folder / "data")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {folder}/stories.jsonl, line 1, column 1: no JSON (")
    assert done.stderr.count("\n") == 1
