"""Files of a run that were changed by hand, cut or exchanged."""

import json
import math

from drill_cases.base import STOPPED
from drill_cases.case import Case, changed_bytes, cut, edited_json, edited_text, removed, written

RUN = "results/first/"
DESCRIBE = "python -m training.describe results/first"
COMPARE = "python -m training.compare results/first results/second --out comparison"
SHARE = "python -m models.share results/first shared"
SCORES = "python -m generation.scores --run results/first"
AGAINST = f"{SCORES} --against results/second"
GENERATE = "python -m generation --run results/first --strips 0"
RESUME = f"{STOPPED} --resume results/stopped"
FILES = {
    "experiment.json": DESCRIBE,
    "features.json": SHARE,
    "finished.json": DESCRIBE,
    "environment.json": SHARE,
    "vocabulary.json": SHARE,
    "scores_greedy_test.json": COMPARE,
    "fact_recall_greedy_test.json": COMPARE,
    "loss.csv": COMPARE,
}
CONTENTS = {"a list": "[1, [2]]", "nested deeply": "[" * 10**5, "not UTF-8": b'{"\xff": 1}'}
FIELDS = (
    ("experiment.json", "epochs", "many", DESCRIBE),
    ("experiment.json", "model_settings", [1], DESCRIBE),
    ("experiment.json", "learning_rate", math.nan, DESCRIBE),
    ("experiment.json", "data", 7, "python -m generation.story_page results/first"),
    ("experiment.json", "model", "os:system", GENERATE),
    ("experiment.json", "model", None, DESCRIBE),
    ("features.json", "feature_size", -1, SHARE),
    ("features.json", "channel_means", [1, math.nan, 2], SHARE),
    ("features.json", "channel_means", "abc", SHARE),
    ("features.json", "photos_per_story", 10**30, SHARE),
    ("finished.json", "seconds", "long", DESCRIBE),
    ("finished.json", "reason", ["a"], DESCRIBE),
    ("environment.json", "packages", [1], SHARE),
    ("environment.json", "workers", True, SHARE),
    ("fact_recall_greedy_test.json", "all", [1], COMPARE),
    ("fact_recall_greedy_test.json", "all", {"own": "x", "other": 1}, COMPARE),
    ("fact_recall_greedy_test.json", "all", {"own": math.inf, "other": 1}, COMPARE),
    ("scores_greedy_test.json", "protocols", "none", COMPARE),
    ("scores_greedy_test.json", "protocols", {"vist-album": {"scores": [1]}}, COMPARE),
    ("scores_greedy_test.json", "vist-album CIDEr", "high", COMPARE),
)


def with_field(name, value):
    return lambda contents: contents.update({name: value})


def file_cases(name, command):
    place = RUN + name
    for what, contents in CONTENTS.items():
        yield Case(f"{name}: {what}", command, written(place, contents), says=name)
    yield Case(f"{name}: empty", command, written(place, ""), status=(0, 2))
    yield Case(f"{name}: cut short", command, cut(place), status=(0, 2))
    yield Case(f"{name}: missing", command, removed(place), status=(0, 2))


RUN_FILES = [
    *(case for name, command in FILES.items() for case in file_cases(name, command)),
    *(
        Case(
            f"{file}: {field} is {str(value)[:24]}",
            command,
            edited_json(RUN + file, with_field(field, value)),
            says=f"{file}|There is no model",
        )
        for file, field, value, command in FIELDS
    ),
    *(
        Case(
            f"loss.csv: {new}",
            COMPARE,
            edited_text(f"{RUN}loss.csv", "\n1,", f"\n{new},"),
            says="loss",
        )
        for new in ("x", "-1", "nan", "1e999", "9" * 400)
    ),
]


def with_sentences(text):
    return written(f"{RUN}hypotheses_greedy_test.txt", text)


STORIES_OF_RUNS = [
    *(
        Case(f"{name}: {command[10:30]}", command, with_sentences(text), says="hypotheses")
        for name, text in {
            "empty": "",
            "one line less": "a\n" * 49,
            "not UTF-8": b"\xff\xfe\n" * 50,
            "zeros": bytes(100),
            "one line of 10 MB": "a" * 10**7,
        }.items()
        for command in (SCORES, "python -m generation.story_page results/first")
    ),
    Case("one empty sentence", SCORES, with_sentences("\n" + "the dog ran .\n" * 49), status=0),
    Case(
        "a decoding's settings are a list",
        "python -m generation.story_page results/first",
        written(f"{RUN}decoding_greedy_test.json", "[]"),
        status=(0, 2),
    ),
    Case(
        "scores of two runs, one with METEOR",
        AGAINST,
        edited_json(
            "results/second/album_sums_greedy_test.json", lambda sums: sums.update(METEOR=[1])
        ),
        status=(0, 2),
    ),
    Case("no stories", SCORES.replace("--run", "--decoding beam7 --run"), says="beam7"),
]


def with_another_shape(folder):
    """The settings of a stopped training with another size of its model."""
    path = folder / "results/stopped/experiment.json"
    contents = json.loads(path.read_text())
    contents["model_settings"]["image_encoder_latent_dim"] = 8
    path.write_text(json.dumps(contents))


def in_checkpoint(damage_of):
    """A damage: damage all files of the checkpoint."""

    def damage(folder):
        files = [
            path for path in (folder / "results/stopped/checkpoint").rglob("*") if path.is_file()
        ]
        assert files
        for path in files:
            damage_of(path.relative_to(folder))(folder)

    return damage


RESUMED = [
    *(
        Case(name, RESUME, in_checkpoint(damage), status=0, says="is broken .* is not used")
        for name, damage in {
            "cut short": cut,
            "other bytes": changed_bytes,
            "empty": lambda place: written(place, b""),
            "a text": lambda place: written(place, "x"),
        }.items()
    ),
    Case("of a model of another size", RESUME, with_another_shape, says="stopped"),
    Case("of a finished run", RESUME.replace("results/stopped", "results/first"), says="finished"),
    Case("nowhere", RESUME.replace("results/stopped", "nowhere"), says="nowhere"),
    Case(
        "a losses' file cut by hand",
        RESUME,
        written("results/stopped/loss.csv", "epoch,loss\nx,y\n"),
        status=0,  # the checkpoint has the losses
        says="epoch 20/20",
    ),
]
GROUPS = {
    "files of a run": RUN_FILES,
    "stories of a run": STORIES_OF_RUNS,
    "checkpoints": RESUMED,
}
