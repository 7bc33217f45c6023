"""The steps from nothing to scored stories; none of them is run."""

import json
import os
import re
import signal

import h5py
import numpy as np
import pytest
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.layout import SPLITS, DataLayout
from training.vist import _duration, _plan, _run
from training.vist_estimate import _downloaded_photos_per_second
from training.vist_scores import table_of_scores
from training.vist_steps import Step, Vist, all_steps, annotations_step

STORY = {"album_id": "a", "text": "we went ."}
SETTINGS = ("word_embeddings=None", "epochs=2")


@pytest.fixture
def vist(tmp_path):
    """Annotations of three stories: two of the same two photos, for training; one for testing."""
    layout = DataLayout(tmp_path / "data")
    for split, ids in (("train", "12"), ("valid", ""), ("test", "3")):
        for tier in ("story-in-sequence", "description-in-isolation"):
            stories = [
                [STORY | {"story_id": id_, "photo_flickr_id": p, "worker_arranged_photo_order": n}]
                for id_ in ids or "4"
                for n, p in enumerate("xy")
            ]
            path = layout.annotations(split, tier)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"images": [], "annotations": stories}))
    return Vist(layout, tmp_path / "results", settings=SETTINGS)


def by_title(vist):
    return {step.title: step for step in all_steps(vist)}


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_first_step_is_done_when_all_annotations_are_there(vist):
    assert annotations_step(vist).is_done()
    vist.layout.annotations("test", "description-in-isolation").unlink()
    step = annotations_step(vist)
    assert not step.is_done()
    assert step.command()[:2] == ["dataset.download", "annotations"]


def test_amounts_are_counted_in_the_annotations(vist):
    steps = by_title(vist)
    assert (steps["photos"].amount, steps["AlexNet's features"].amount) == (6, 6)
    assert steps["training vist_attention"].amount == 2 * 2  # stories x epochs
    assert steps["test stories of vist_attention"].amount == 1
    assert "word vectors" not in steps


def test_features_make_photos_superfluous(vist):
    assert not by_title(vist)["photos"].is_done()
    for split in SPLITS:
        write(vist.layout.features(split))
    steps = by_title(vist)
    assert steps["photos"].is_done()
    assert steps["AlexNet's features"].is_done()


def test_photos_that_failed_for_a_time_are_tried_once_more(vist):
    for split in SPLITS:
        rows = "x,,404 Not Found\ny,,temporary: no connection\n"
        write(vist.layout.failed_downloads(split), f"id,address,reason\n{rows}")
    step = by_title(vist)["photos that failed for a time"]
    assert step.command()[:2] == ["dataset.download", "photos"]
    assert not step.is_done()
    for split in SPLITS:
        write(vist.layout.photos(split) / "y.jpg")
    assert step.is_done()


def test_a_tenth_of_the_photos_may_fail_for_a_time_but_not_more(vist):
    extraction = by_title(vist)["AlexNet's features"]
    with pytest.raises(InputError, match="6 of 6 photos could not be fetched yet"):
        extraction.command()
    for split in SPLITS:
        write(vist.layout.photos(split) / "x.jpg")
        write(vist.layout.failed_downloads(split), "id,address,reason\ny,,404 Not Found\n")
    assert extraction.command() == ["dataset.models.alexnet", "--data", str(vist.layout)]


def write_stories(layout, split, extractor="alexnet"):
    """A stories file of one story."""
    layout.stories(split).parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(layout.stories(split), "w") as file:
        file["story_ids"] = [1]
        file["story_sentences"] = np.int32([[[1, 2] + [0] * 20] * 2])
        file["image_embeddings"] = np.zeros((1, 2, 3), np.float32)
        file.attrs["extractor"] = extractor


def test_stories_files_older_than_the_features_are_made_again(vist):
    for split in SPLITS:
        write(vist.layout.features(split))
        write_stories(vist.layout, split)
    assert by_title(vist)["stories files"].is_done()
    os.utime(vist.layout.stories("valid"), (1, 1))
    assert not by_title(vist)["stories files"].is_done()


def test_stories_files_with_other_features_are_made_again(vist):
    for split in SPLITS:
        write(vist.layout.features(split))
        write_stories(vist.layout, split, "arel" if split == "test" else "alexnet")
    assert not by_title(vist)["stories files"].is_done()


def test_the_plan_leaves_out_what_earlier_runs_did(vist):
    write(vist.layout.photos("train") / "x.jpg")
    write(vist.layout.photos("train") / "y.jpg")
    experiment = vist.experiment("vist_attention")
    write_run(vist.results / f"{experiment.name}_20260101-120000", [2.0], **experiment.to_dict())
    steps = by_title(vist)
    assert steps["photos"].amount == 4
    assert steps["training vist_attention"].amount == 2  # stories in the second epoch


def test_a_run_counts_if_it_has_the_same_settings_and_is_finished(vist):
    training = by_title(vist)["training vist_attention"]
    data = ["--set", f"data={vist.layout}", *SETTINGS]
    module, results = "training.experiments.vist_attention", ["--results", str(vist.results)]
    assert training.command() == [module, *results, *data]

    experiment = vist.experiment("vist_attention")
    run = write_run(vist.results / f"{experiment.name}_20260101-120000", [1.0])
    run.experiment_file.write_text(json.dumps(experiment.to_dict()))
    assert training.command() == [module, *results, "--resume", str(run.path), *data]
    assert not training.is_done()

    run.finished_file.write_text(json.dumps({"seconds": 1, "reason": "all epochs"}))
    assert training.is_done()
    test_stories = by_title(vist)["test stories of vist_attention"]
    assert test_stories.command() == ["generation", "--run", str(run.path), "--split", "test"]
    assert not test_stories.is_done()
    write(run.scores("greedy", "test"), "{}")
    assert test_stories.is_done()

    run.experiment_file.write_text(json.dumps(experiment.to_dict() | {"seed": 7}))
    assert not training.is_done()
    run.finished_file.unlink()
    assert training.command() == [module, *results, *data]


@pytest.mark.parametrize(
    ("setting", "address", "error"),
    [
        ("epoch=2", "sis=http://here/", "'epoch=2' sets nothing"),
        ("data=mine", "sis=http://here/", "--set data is not for this command; give --data"),
        ("extractor=arel", "sis=http://here/", "give --features"),
        ("epochs=2", "sos=http://here/", "there is no address 'sos'"),
    ],
)
def test_what_would_fail_a_step_is_refused(vist, setting, address, error):
    with pytest.raises(InputError, match=error):
        Vist(vist.layout, vist.results, settings=(setting,), addresses=(address,)).check()
    vist.check()


def test_arel_s_features_take_the_place_of_photos_and_weights(vist):
    vist = Vist(vist.layout, vist.results, "arel", SETTINGS, ("arel=http://here/f.zip",))
    steps = by_title(vist)
    assert steps.keys().isdisjoint({"photos", "AlexNet's weights", "AlexNet's features"})
    assert steps["AREL's features"].command()[-2:] == ["--address", "arel=http://here/f.zip"]
    assert "extractor=arel" in steps["training vist_attention"].command()
    assert "--extractor" in steps["stories files"].command()
    assert not steps["AREL's features"].is_done()
    for split in SPLITS:
        write(vist.layout.features(split, "arel"))
    assert steps["AREL's features"].is_done()  # the zip may be deleted


def test_the_plan_sums_what_is_left():
    steps = [
        Step("photos", list, lambda: True, gigabytes=9.0),
        Step("features", list, lambda: False, "features", 7200, "photos", 1.0),
        Step("training", list, lambda: False, "vist_attention", 86400, "stories", 0.5),
    ]
    rows = _plan(steps, {"features": 1.0, "vist_attention": 0.25}).splitlines()
    assert [re.split(r"\s\s+", row.strip()) for row in rows] == [
        ["step", "amount", "time", "disk"],
        ["photos", "already there"],
        ["features", "7,200 photos", "2 h", "1.0 GB"],
        ["training", "86,400 stories", "4 days", "0.5 GB"],
        ["all", "4 days", "1.5 GB"],
    ]


def test_a_server_that_does_not_answer_leaves_the_plan_unfinished():
    steps = [
        Step("weights", list, lambda: False, "alexnet", 10, "bytes", 1.0),
        Step("features", list, lambda: False, "features", 7200, "photos", 1.0),
    ]
    _, weights, _, total = _plan(steps, {"alexnet": None, "features": 1.0}).splitlines()
    assert weights.split() == ["weights", "10", "bytes", "unknown", "1.0", "GB"]
    assert total.split() == ["all", "at", "least", "2", "h", "2.0", "GB"]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, ""), (0.4, "1 s"), (119, "119 s"), (150, "2 min"), (7300, "2 h")]
)
def test_durations(seconds, expected):
    assert _duration(seconds) == expected


@pytest.mark.parametrize(
    ("does", "status"),
    [
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("os.kill(os.getppid(), signal.SIGTERM); time.sleep(20)", 143),
        (
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit()); "
            "os.kill(os.getppid(), signal.SIGTERM); time.sleep(20)",
            143,
        ),
    ],
    ids=["fails", "is killed", "is handed on a signal", "ends well at a signal"],
)
def test_a_step_that_ends_early_ends_all(tmp_path, monkeypatch, capfd, does, status):
    (tmp_path / "a_step.py").write_text(f"import os, signal, sys, time\n{does}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        _run(Step("a step", lambda: ["a_step"], lambda: False))
    assert ended.value.code == status
    assert signal.getsignal(signal.SIGTERM) == before
    assert capfd.readouterr() == (
        "\na step: python -m a_step\n",
        "Stopped; the same command resumes here.\n",
    )


def test_a_step_that_is_done_is_not_run(capfd):
    _run(Step("a step", lambda: ["no_module"], lambda: True))
    assert capfd.readouterr() == ("a step: already there\n", "")


def test_photos_without_addresses_can_not_be_measured(vist):
    with pytest.raises(InputError, match="has no addresses of photos"):
        _downloaded_photos_per_second(vist.layout)


def test_the_table_shows_scores_beside_those_of_2018(vist):
    run = write_run(vist.results / "run", [1.0])
    for split in SPLITS:
        write_stories(vist.layout, split)
    for split, protocol, name, value, is_share in (
        ("valid", "original-2018-sentence", "BLEU-2", 0.1234, True),
        ("test", "vist-album", "CIDEr", 0.456, False),
    ):
        scores = {"scores": {name: {"value": value, "is_share": is_share}}}
        write(run.scores("greedy", split), json.dumps({"protocols": {protocol: scores}}))
    table, note = table_of_scores({"mine": run}, vist.layout).split("\n\n")
    assert note.startswith("Stories that could be used: train 1 of 2, valid 1 of 1, test 1 of 1.")
    header, _, *rows = table.splitlines()
    assert header.startswith("| split | protocol | score | `mine` | the original's model of 2018")
    cells = {tuple(row.split(" | ")[:3]): row.split(" | ")[3:] for row in rows}
    assert cells["| valid", "original-2018-sentence", "BLEU-2"] == ["12.3", "4.3", "- |"]
    assert cells["| valid", "original-2018-story", "METEOR"] == ["-", "24.4", "26.2 |"]
    assert cells["| test", "vist-album", "CIDEr"] == ["0.46", "-", "- |"]
