"""Files of stories of one's own."""

import json

from drill_cases.case import Case, all_of, written

IMPORT = "python -m dataset.import_stories {} --data own"
JSONL, CSV = IMPORT.format("stories.jsonl"), IMPORT.format("stories.csv")


def lines(*stories):
    return "".join(f"{json.dumps(story)}\n" for story in stories)


def story(**fields):
    return {"photos": ["photos/0.jpg"], "sentences": ["It rained."]} | fields


GOOD = story()
REFUSED = {
    "empty": "",
    "not JSON": "photos: a\n",
    "a list": "[1, 2]\n",
    "a number": "7\n",
    "not UTF-8": b'{"photos": ["\xff"]}\n',
    "nested 100,000 deep": "[" * 100_000 + "\n",
    "a number of 5,000 digits": f'{{"photos": {"9" * 5000}}}\n',
    "a name twice": '{"photos": ["a"], "photos": ["b"], "sentences": ["c"]}\n',
    "zeros": bytes(1000),
    "photos that are a text": lines(story(photos="photos/0.jpg")),
    "sentences that are numbers": lines(story(sentences=[1])),
    "neither photos nor ids": lines({"sentences": ["It rained."]}),
    "half of a surrogate pair": lines(story(sentences=["\ud800"])),
}
SKIPPED = {
    "a photo outside that is a text": [GOOD, story(photos=["../secret.txt"])],
    "a photo that is missing": [GOOD, story(photos=["nowhere.jpg"])],
    "a photo of an odd name": [GOOD, story(photos=["a\0b"])],
    "a photo that is a folder": [GOOD, story(photos=["photos"])],
    "an id that leads outside": [GOOD, story(story_id="../../secret")],
    "an album that leads outside": [GOOD, story(album_id="../../secret")],
    "an empty sentence": [GOOD, story(sentences=[" "])],
    "a sentence of a million letters": [GOOD, story(sentences=["a" * 10**6])],
    "markup in a sentence": [GOOD, story(sentences=["</script><script>alert(1)</script>"])],
}
TABLES = {
    "without a header": "1,photos/0.jpg,It rained.\n",
    "with an open quote": 'story_id,photo,sentence\n1,photos/0.jpg,"It\n',
    "with a cell of 10 MB": "story_id,photo,sentence\n1,photos/0.jpg," + "x" * 10**7 + "\n",
    "with a zero byte": b"story_id,photo,sentence\n1,photos/0.jpg,It\0rained\n",
    "with more cells": "story_id,photo,sentence\n1,photos/0.jpg,a,b,c\n",
    "with fewer cells": "story_id,photo,sentence\n1\n",
    "with a column twice": "story_id,photo,photo,sentence\n1,photos/0.jpg,x,It.\n",
}
STORIES = [
    *(
        Case(
            name, JSONL, written("stories.jsonl", contents), says="stories.jsonl|skipped_import.csv"
        )
        for name, contents in REFUSED.items()
    ),
    *(
        Case(name, JSONL, written("stories.jsonl", lines(*stories)), status=(0, 2))
        for name, stories in SKIPPED.items()
    ),
    *(
        Case(f"a table {name}", CSV, written("stories.csv", contents), status=(0, 2))
        for name, contents in TABLES.items()
    ),
    Case("another ending", IMPORT.format("stories.txt"), written("stories.txt", lines(GOOD))),
    Case("a folder", IMPORT.format("photos"), says="photos"),
    Case(
        "a device",
        IMPORT.format("endless.jsonl"),
        lambda f: (f / "endless.jsonl").symlink_to("/dev/zero"),
    ),
    Case("a pipe", "mkfifo pipe.jsonl && " + IMPORT.format("pipe.jsonl"), says="pipe.jsonl"),
    Case(
        "into VIST's own folder",
        "python -m dataset.import_stories stories.jsonl --data data",
        says="data",
    ),
    Case(
        "photos that are no photos",
        JSONL,
        all_of(written("photos/0.jpg", "no photo"), written("photos/1.jpg", b"")),
        says="a photo is no photo",
    ),
]
GROUPS = {"stories of one's own": STORIES}
