"""Annotations with odd texts and damage, vocabularies, word counts, facts, means, weights."""

import io
import json
import shutil
import zipfile

import h5py
import numpy as np

from drill_cases.base import REPOSITORY
from drill_cases.case import (
    TEXTS,
    Case,
    all_of,
    annotations,
    cut,
    edited_json,
    removed,
    written,
)
from drill_cases.hdf5_files import GENERATE, PAGE, READER, SURVEY

NEW_WORDS = f"{READER} --rebuild-vocabulary"
COUNTED = "rm data/vist2017_vocabulary.json && " + READER
VOCABULARY = "data/vist2017_vocabulary.json"
COUNTS = "data/word_frequencies.json"
FACTS = "data/vist_dataset/facts.json"
OF_RUN = "results/first/vocabulary.json"
RECALL = "python -m generation.fact_recall --run results/first"
IMPORT = "python -m dataset.image_features --data data --extractor mine"
ODD_TEXTS = {
    "marks of the data set": "[male] met [female] at [location] . <END> <NULL> <UNK> <START>",
    "nothing but spaces": "   \u00a0 ",
    "a line break": "the dog\nran \r\n away",
    "line and paragraph separators": "the\u2028dog\u2029ran",
    "control characters": "the \x00 dog \x1b[31m ran \x07",
    "letters of the world": "café żółć 日本語 العربية 🎈👩‍👩‍👧",
    "writing from right to left": "\u202egnitirw\u202c",
    "markup": "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
    "templates and formats": "{{ 7*7 }} {0} %s $(touch ran) `touch ran`",
    "a word of 5,000 letters": "x" * 5000,
    "10,000 words": "dog " * 10_000,
    "quotes and backslashes": "\"'\\\\ \\u0000 \\n",
    "letters that combine": "e" + "\u0301" * 500,
}


def with_text(text):
    """A change of annotations: the text of the first story's first sentence."""

    def change(contents):
        contents["annotations"][-1][0]["text"] = text
        contents["annotations"][-1][0]["original_text"] = text

    return change


def with_field(name, value):
    def change(contents):
        contents["annotations"][-1][0][name] = value

    return change


def without_field(name):
    return lambda contents: contents["annotations"][-1][0].pop(name) and None


def every_story(name, value):
    def change(contents):
        for [sentence] in contents["annotations"]:
            sentence[name] = value

    return change


def odd_text(name, text):
    damage = edited_json(annotations, with_text(text))
    return Case(name, NEW_WORDS, damage, status=0, says="train: [567] stories")


def odd_page(name, text):
    """The text of a human story in the page, which must not run."""

    def change(contents):
        for [sentence] in contents["annotations"]:
            sentence["text"] = text

    damage = edited_json(lambda folder: annotations(folder, "test"), change)
    checked = f"{READER} && {PAGE} && ! grep -qF '<img src=x' results/first/stories.html"
    return Case(f"{name}, in the page", f"{checked}", damage, status=0)


VIST_TEXT = [
    *(odd_text(name, text) for name, text in ODD_TEXTS.items()),
    *(
        odd_page(name, ODD_TEXTS[name].replace("\0", ""))
        for name in ("markup", "control characters")
    ),
    odd_page("templates", ODD_TEXTS["templates and formats"]),
]
DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000
ANNOTATIONS = [
    *(
        Case(name, READER, written(annotations, contents), says="train.story-in-sequence.json")
        for name, contents in {
            "empty": "",
            "a list": "[]",
            "a number": "7",
            "null": "null",
            "nested 100,000 deep": DEEP,
            "a text that is not UTF-8": b'{"annotations": ["\xff\xfe"]}',
            "a name twice": '{"annotations": [], "annotations": []}',
            "annotations of numbers": '{"annotations": [1, 2]}',
            "annotations that are a text": '{"annotations": "none"}',
            "no stories": '{"annotations": []}',
            "zeros": bytes(1000),
        }.items()
    ),
    Case("cut short", READER, cut(annotations), says="train.story-in-sequence.json"),
    *(
        Case(
            f"{name}: {str(value)[:20]!r}",
            READER,
            edited_json(annotations, with_field(name, value)),
            status=(0, 2),
            says="train: [567] stories|an annotation's",
        )
        for name, value in (
            ("story_id", "9" * 5000),
            ("story_id", "../../../secret"),
            ("story_id", None),
            ("photo_flickr_id", "../../secret"),
            ("photo_flickr_id", 7),
            ("worker_arranged_photo_order", -1),
            ("worker_arranged_photo_order", 10**30),
            ("worker_arranged_photo_order", float("nan")),
            ("album_id", "\ud800"),
            ("text", None),
            ("text", ["a", "b"]),
        )
    ),
    Case("no text", READER, edited_json(annotations, without_field("text")), says="text"),
    Case(
        "all stories of one id",
        READER,
        edited_json(annotations, every_story("story_id", "1")),
        says="train",
    ),
    Case(
        "a million photos per story",
        READER,
        edited_json(annotations, lambda c: c["info"].update(photos_per_story=10**6)),
        says="train",
    ),
    Case(
        "stories of no photos",
        READER,
        edited_json(annotations, lambda c: c["info"].update(photos_per_story=0)),
        says="photos_per_story",
    ),
    Case("in the survey, cut short", SURVEY, cut(annotations), status=0, says="cut short"),
    Case("in the survey, a list", SURVEY, written(annotations, "[]"), status=0, says="Broken"),
    Case(
        "in the survey, nested deeply", SURVEY, written(annotations, DEEP), status=0, says="Broken"
    ),
]


def of_words(count, first="dog"):
    words = ["<NULL>", "<START>", "<END>", "<UNK>", first, *(f"w{n}" for n in range(count - 5))]
    return {"idx_to_words": words, "words_to_idx": {word: n for n, word in enumerate(words)}}


def vocabulary_case(name, place, command, contents, **expected):
    text = contents if isinstance(contents, str) else json.dumps(contents)
    return Case(f"{name}: {command[10:34]}", command, written(place, text), **expected)


VOCABULARIES = [
    *(
        vocabulary_case(name, place, command, contents, says="vocabulary.json")
        for name, contents in {
            "empty": "",
            "a list": [],
            "no words": {"idx_to_words": [], "words_to_idx": {}},
            "words twice": {"idx_to_words": ["a"] * 9, "words_to_idx": {"a": 0}},
            "words that are numbers": {"idx_to_words": [1, 2, 3, 4], "words_to_idx": {}},
            "without <NULL>": {"idx_to_words": ["a", "b"], "words_to_idx": {"a": 0, "b": 1}},
        }.items()
        for place, command in (
            (VOCABULARY, READER),
            (OF_RUN, "python -m models.share results/first x"),
        )
    ),
    *(
        vocabulary_case(name, OF_RUN, GENERATE, contents, says="vocabulary.json")
        for name, contents in {
            "other words, as many": of_words(165),
            "more words": of_words(200),
            "fewer words": of_words(50),
        }.items()
    ),
]
WORD_COUNTS = [
    vocabulary_case(name, COUNTS, COUNTED, contents, says="word_frequencies.json")
    for name, contents in {
        "empty": "",
        "a dictionary": {"the": 5},
        "a negative count": [["the", 5], ["dog", -2]],
        "a count of nan": '[["the", NaN]]',
        "a count that is a text": [["the", "5"]],
        "a word that is a number": [[5, 5]],
        "a word twice": [["the", 5], ["the", 4]],
        "three in a row": [["the", 5, 5]],
    }.items()
]
FACTS_AND_MEANS = [
    *(
        Case(f"facts: {name}", RECALL, written(FACTS, contents), says="facts.json")
        for name, contents in {
            "empty": "",
            "a list": "[]",
            "nothing": "{}",
            "wordings that are numbers": '{"wordings": 1, "albums": 2}',
            "nested deeply": DEEP,
        }.items()
    ),
    Case(
        "facts: a photo's facts are a list",
        RECALL,
        edited_json(FACTS, lambda facts: facts.update({name: [1] for name in facts})),
        says="facts.json",
    ),
    *(
        Case(
            f"mean.json: {contents[:40]}",
            "python -m dataset.models.alexnet --data data",
            written("data/mean.json", contents),
            says="mean.json",
        )
        for contents in ("[]", '{"blue_mean": NaN, "green_mean": 1, "red_mean": 1}')
    ),
]


class Ran:
    """What runs when it is unpickled."""

    def __reduce__(self):
        import os

        return os.system, ("touch ran ../ran",)


def forged_type():
    """A dtype whose state crashes NumPy's unpickling."""
    array = np.array({"fc6": [np.ones((2, 2), "f4"), np.ones(2, "f4")]}, dtype=object)
    contents = io.BytesIO()
    np.save(contents, array, allow_pickle=True)
    return contents.getvalue().replace(b"\x8c\x02f4", b"\x8c\x02O8").replace(b"U\x02f4", b"U\x02O8")


def pickled(value):
    contents = io.BytesIO()
    array = np.empty((), object)
    array[()] = value
    np.save(contents, array, allow_pickle=True)
    return contents.getvalue()


def own_repository(weights):
    """A damage: the project itself, copied, with these weights of AlexNet; real photos."""

    def damage(folder):
        for name in ("data_reader", "dataset", "models"):
            ignored = shutil.ignore_patterns("*_data", "__pycache__", "*.npy", "*.hdf5", "glove*")
            shutil.copytree(REPOSITORY / name, folder / "project" / name, ignore=ignored)
        (folder / "project/dataset/models/alexnet/bvlc_alexnet.npy").write_bytes(weights)

    real = removed(FACTS, "data/models/alexnet")
    return all_of(real, damage)


WEIGHTS = [
    Case(
        name,
        "PYTHONPATH=$PWD/project python -m dataset.models.alexnet --data data",
        own_repository(contents),
        says="bvlc_alexnet.npy",
    )
    for name, contents in {
        "a type that is forged": forged_type(),
        "a pickle that runs a command": pickled(Ran()),
        "other layers": pickled({"fc6": [np.ones((2, 2), "f4"), np.ones(2, "f4")]}),
        "a text": b"no weights",
    }.items()
]


def saved(write, *arrays, **named):
    contents = io.BytesIO()
    write(contents, *arrays, **named)
    return contents.getvalue()


def zip_of(members):
    contents = io.BytesIO()
    with zipfile.ZipFile(contents, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return contents.getvalue()


def hdf5_of(**arrays):
    contents = io.BytesIO()
    with h5py.File(contents, "w") as file:
        for name, data in arrays.items():
            file.create_dataset(name, data=data, dtype=TEXTS if name == "ids" else None)
    return contents.getvalue()


IDS = ["5100000000", "5100000001"]
VECTOR = saved(np.save, np.ones(8, "f4"))
READY_MADE = {
    "npz: a text": b"no archive",
    "npz: pickles": saved(np.savez, ids=np.array(IDS, object), vectors=np.ones((2, 8))),
    "npz: nan": saved(np.savez, ids=np.array(IDS), vectors=np.full((2, 8), np.nan)),
    "npz: fewer vectors": saved(np.savez, ids=np.array(IDS), vectors=np.ones((1, 8))),
    "npz: no columns": saved(np.savez, ids=np.array(IDS), vectors=np.ones((2, 0))),
    "npz: texts": saved(np.savez, ids=np.array(IDS), vectors=np.array([["a"], ["b"]])),
    "npz: an id twice": saved(np.savez, ids=np.array(IDS[:1] * 2), vectors=np.ones((2, 8))),
    "npz: three arrays": saved(np.savez, a=np.array(IDS), b=np.array(IDS), c=np.ones((2, 8))),
    "npz: a bomb": lambda: zip_of({"ids.npy": VECTOR, "vectors.npy": bytes(10**9)}),
    "npy: paths outside": zip_of({"../../5100000000.npy": VECTOR}),
    "npy: other lengths": zip_of({f"{IDS[0]}.npy": VECTOR, f"{IDS[1]}.npy": VECTOR + VECTOR[-8:]}),
    "npy: pickles": zip_of({f"{id_}.npy": pickled(Ran()) for id_ in IDS}),
    "npy: a header of 10^9 rows": zip_of({f"{IDS[0]}.npy": VECTOR.replace(b"(8,)", b"(9**9,)")}),
    "hdf5: a text": b"no HDF5",
    "hdf5: nan": hdf5_of(ids=IDS, vectors=np.full((2, 8), np.nan)),
    "hdf5: fewer vectors": hdf5_of(ids=IDS, vectors=np.ones((1, 8))),
    "hdf5: no ids": hdf5_of(vectors=np.ones((2, 8))),
    "hdf5: no columns": hdf5_of(ids=IDS, vectors=np.ones((2, 0))),
}


# The names of files within an archive are ids only, and of two vectors of an id one is used.
PARTLY_USED = ("npz: an id twice", "npy: paths outside", "npy: other lengths")


def ready_made(name, contents):
    kind = name.partition(":")[0]
    file = f"vectors.{'zip' if kind == 'npy' else kind}"
    status = 0 if name in PARTLY_USED else 2
    command = f"{IMPORT} --from-{kind} {file}"
    return Case(name, command, written(file, contents), status, "vectors")


IMPORTS = [ready_made(name, contents) for name, contents in READY_MADE.items()]
GROUPS = {
    "annotations": ANNOTATIONS,
    "odd texts": VIST_TEXT,
    "vocabularies": VOCABULARIES,
    "word counts": WORD_COUNTS,
    "facts and means": FACTS_AND_MEANS,
    "weights of AlexNet": WEIGHTS,
    "ready-made features": IMPORTS,
}
