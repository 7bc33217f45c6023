"""All commands in order, as a user runs them, on a sample set of a few albums."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys

import cv2
import h5py
import pytest

from data_reader.layout import DataLayout

PROTOCOLS = {"original-2018-sentence", "original-2018-story", "vist-album", "vist-sequence"}
NO_JAVA = {"JAVA_TOOL_OPTIONS": "-Xmx1k"}  # with so little memory no Java starts


def run(module, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | environment,
    )


def succeed(module, *arguments, **environment):
    done = run(module, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sample set with its features, stories and a trained run."""
    from dataclasses import replace

    from training.experiment import smoke_test
    from training.experiments.image_grouping import EXPERIMENT
    from training.train import train

    folder = tmp_path_factory.mktemp("all_commands")
    data = folder / "data"
    succeed("dataset.sample", "--data", data, "--albums", 3, 1, 2)
    succeed("dataset.models.alexnet", "--data", data)
    succeed("data_reader", "--data", data)
    train(replace(smoke_test(EXPERIMENT), data=str(data), epochs=1), folder / "results")
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    [path] = (folder / "results").glob("smoke_*")
    return path


@pytest.fixture(scope="module")
def generated(trained):
    """The run with its test stories, and what the command printed."""
    return trained, succeed("generation", "--run", trained, "--strips", 2)


def test_generation_writes_stories_scores_and_strips(generated):
    trained, out = generated
    assert "10 test stories" in out
    assert "vist-sequence" in out
    sentences = (trained / "hypotheses_greedy_test.txt").read_text().splitlines()
    stories = (trained / "hypotheses_story_greedy_test.txt").read_text().splitlines()
    originals = (trained / "original_test.txt").read_text().splitlines()
    assert len(sentences) == len(originals) == 50
    assert stories == [" ".join(sentences[i : i + 5]) for i in range(0, 50, 5)]
    scores = json.loads((trained / "scores_greedy_test.json").read_text())
    assert 0 <= scores["vist-album METEOR"] <= 1
    assert set(scores["protocols"]) == PROTOCOLS
    strips = sorted((trained / "strips").glob("test_*.png"))
    assert len(strips) == 2
    assert cv2.imread(str(strips[0])).shape[1] > 1000

    assert (trained / "stories.html").stat().st_size > 10_000
    assert not (trained / "generating").exists()
    decoding = json.loads((trained / "decoding_greedy_test.json").read_text())
    assert (decoding["method"], decoding["precision"]) == ("greedy", "float32")


def test_facts_are_looked_for_in_generated_stories(generated):
    trained, _ = generated
    out = succeed("generation.fact_recall", "--run", trained)
    assert "own photos" in out
    recall = json.loads((trained / "fact_recall_greedy_test.json").read_text())
    assert recall["weather"]["facts"] == 10


def test_other_decodings_are_shown_beside_the_first(generated):
    trained, _ = generated
    (trained / "hypotheses_beam9_test.txt").write_text("from other data\n" * 5)
    (trained / "hypotheses_story_beam9_test.txt").write_text("from other data\n")
    constraints = ("--no-unknown", "--no-repeated-sentence", "--max-words", 6)
    options = ("--strips", 0, "--beam", 2, *constraints, "--format", "challenge")
    out = succeed("generation", "--run", trained, *options, **NO_JAVA)
    assert "10 test stories, beam2_nounk_nosame_max6" in out
    assert "METEOR is missing: METEOR needs Java" in out
    assert "beam9 was generated from other stories: not shown" in out
    for file in trained.glob("hypotheses_*beam9_test.txt"):
        file.unlink()
    sentences = (trained / "hypotheses_beam2_nounk_nosame_max6_test.txt").read_text().splitlines()
    assert len(sentences) == 50
    assert max(len(sentence.split()) for sentence in sentences) <= 6
    written = trained / "hypotheses_challenge_beam2_nounk_nosame_max6_test.json"
    out = succeed("generation.compare", trained, f"beam={written}", "--all", **NO_JAVA)
    assert "photo sequences of which all systems have a story" in out
    page = (trained / "stories.html").read_text()
    assert "smoke image grouping beam2 nounk nosame max6" in page
    out = succeed("generation.story_strip", trained, "--number", 2, "--sheet", "--frame", 5)
    assert (trained / "strips" / "test_sheet.pdf").exists()
    out = succeed("generation.attribution_picture", "--run", trained)
    [picture] = (trained / "strips").glob("*_attribution.png")
    assert str(picture) in out


def test_files_are_scored_by_a_protocol(tmp_path):
    (tmp_path / "hypotheses.txt").write_text("a b c x\nd e\n")
    (tmp_path / "human.txt").write_text("a b c\nd e f g h\n")
    files = ("original-2018", tmp_path / "hypotheses.txt", tmp_path / "human.txt")
    lines = succeed("generation.scores", *files, **NO_JAVA).splitlines()
    assert lines[0] == "BLEU = 83.3/79.1/67.9/0.0 (BP=1.000, ratio=0.750, hyp_len=6, ref_len=8)"
    assert lines[2].startswith("METEOR is missing: METEOR needs Java")
    (tmp_path / "hypotheses.json").write_text('{"1": ["a b c d"]}')
    (tmp_path / "human.json").write_text('{"1": ["a b c d", "e"], "2": ["f"]}')
    files = ("vist-album", tmp_path / "hypotheses.json", tmp_path / "human.json")
    scores = json.loads(succeed("generation.scores", "--json", *files, **NO_JAVA))
    assert scores["BLEU-4"] == scores["ROUGE-L"] == pytest.approx(1)
    assert scores["texts"] == 1
    assert "scored 1 of the 2 that have references" in succeed(
        "generation.scores", *files, **NO_JAVA
    )


def test_two_runs_are_compared(generated):
    trained, _ = generated
    out = succeed("generation.scores", "--run", trained, "--against", trained, **NO_JAVA)
    title, *rows, missing = [line.split() for line in out.splitlines()]
    assert missing[:3] == ["METEOR", "is", "missing:"]
    assert title == [trained.name, "greedy", "less", trained.name, "greedy"]
    assert rows[0][0] == "protocol"
    assert {row[0] for row in rows[1:]} <= PROTOCOLS
    assert {row[-1] for row in rows[1:]} == {"1.0000"}


def test_a_story_of_own_photos(folder, trained):
    photos = sorted((folder / "data" / "vist_dataset" / "test_data").rglob("*.jpg"))[:3]
    out = succeed("generation", "--run", trained, *photos, "--sample", "--seed", 2)
    assert "3 photos, as given" in out
    assert "training used stories of 5 photos, none of 3" in out
    assert all(photo.name in out for photo in photos)
    [strip] = (trained / "strips").glob("own_*.png")
    assert cv2.imread(str(strip)).shape[1] > 900


def test_stories_without_albums_are_generated_all_the_same(folder, trained, tmp_path):
    """The original's stories files have neither albums nor texts nor paths."""
    path = DataLayout(tmp_path).stories("valid")
    path.parent.mkdir(parents=True)
    shutil.copy(DataLayout(folder / "data").stories("valid"), path)
    with h5py.File(path, "a") as file:
        for name in ("album_ids", "texts", "image_paths", "image_ids"):
            del file[name]
    out = succeed("generation", "--run", trained, "--data", tmp_path, "--split", "valid")
    assert "5 valid stories, greedy" in out
    assert re.search(r"not scored: .* lacks album_ids", out)
    assert "no strips, no page" in out
    assert len((trained / "hypotheses_greedy_valid.txt").read_text().splitlines()) == 25


def test_finished_steps_are_skipped(folder):
    data = DataLayout(folder / "data")
    before = data.features("train").stat().st_mtime_ns
    assert "already there" in succeed("dataset.models.alexnet", "--data", data)
    assert data.features("train").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("dataset.models.alexnet", ["--data", "{empty}"], "No split has photos"),
        ("data_reader", ["--data", "{empty}"], "train.story-in-sequence.json is missing"),
        ("data_reader.image_mean_calculation", ["--data", "{empty}"], "photo folder .* is missing"),
        ("generation", ["--run", "{empty}"], "has no experiment.json"),
        ("generation", ["--run", "{empty}/nowhere"], "nowhere is missing"),
        ("generation", ["--run", "{run}", "{empty}"], "1 to 20 photos, got 0"),
        ("models.share", ["{run}", "{run}"], "is there already; delete it or give another name"),
        ("generation", ["--run", "{run}", "--top-k", "3"], "--top-k belongs to --sample"),
        ("generation", ["--run", "{run}", "{empty}/a.jpg", "--strips", "2"], "--strips is for"),
        ("generation", ["--beam", "0"], "--beam: 0 is less than 1; see --help"),
        ("generation.story_strip", ["{run}", "--sheet", "--format", "png"], "--sheet is a PDF"),
        ("generation.fact_recall", ["--run", "{empty}"], "has no experiment.json"),
        ("generation.scores", ["vist-album", "{empty}/a.json", "{empty}/b.json"], "b.json is miss"),
        ("generation.scores", ["original-2018", "one"], "a protocol and two files"),
        ("generation.scores", ["vist-album", "one", "two", "--run", "{empty}"], "all protocols"),
        ("generation.scores", ["vist-album", "a", "b", "--level", "story"], "2018 alone"),
        (
            "generation.story_strip",
            ["{run}", "--decoding", "beam8"],
            "beam8_test.txt is missing; .*--help",
        ),
        (
            "generation.story_page",
            ["{run}", "--split", "train"],
            "generation --run .* --split train$",
        ),
        ("training.describe", ["{empty}"], "has no experiment.json"),
        ("training.compare", ["{run}", "{empty}/nowhere"], "nowhere is missing"),
        (
            "dataset.sample",
            ["--data", "{empty}", "--albums", "0", "1", "1"],
            "at least 3 training albums",
        ),
        ("generation", ["--run", "{run}", "--data", "{empty}"], "python -m data_reader"),
    ],
)
def test_a_wrong_input_is_one_line_and_status_2(
    trained, tmp_path, monkeypatch, capsys, module, arguments, message
):
    given = [argument.format(empty=tmp_path, run=trained) for argument in arguments]
    monkeypatch.setattr(sys, "argv", [module, *given])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert re.search(message, printed)
    assert list(tmp_path.iterdir()) == []


def test_help_does_not_wait_for_tensorflow():
    commands = (
        "dataset",
        "dataset.sample",
        "dataset.image_features",
        "dataset.models.alexnet",
        "data_reader",
        "data_reader.image_mean_calculation",
        "training",
        "training.experiments.image_grouping",
        "training.experiments.vist_attention",
        "training.experiments.group_size",
        "training.compare",
        "training.model_picture",
        "training.report",
        "training.describe",
        "generation",
        "generation.benchmark",
        "generation.fact_recall",
        "generation.attribution_picture",
        "generation.scores",
        "generation.compare",
        "generation.story_scores",
        "generation.story_page",
        "generation.story_strip",
        "models.share",
    )
    code = (
        "import runpy, sys\n"
        "for module in sys.argv[1:]:\n"
        "    sys.argv = ['x', '--help']\n"
        "    try: runpy.run_module(module, run_name='__main__')\n"
        "    except SystemExit: pass\n"
        "    assert 'tensorflow' not in sys.modules, module"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *commands], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: ") == len(commands)


def test_texts_are_utf_8_whatever_the_system_s_encoding(folder, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(folder / "data", data)
    annotations = DataLayout(data).annotations("train")
    annotations.write_text(
        annotations.read_text(encoding="utf-8").replace("sunny", "café"), encoding="utf-8"
    )
    command = ("data_reader", "--data", data, "--rebuild-vocabulary")
    succeed(*command, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    words = json.loads((data / "vist2017_vocabulary.json").read_text(encoding="utf-8"))
    assert "café" in words["words_to_idx"]


def test_the_survey_names_the_next_step(folder, tmp_path):
    done = run("dataset", "--data", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "Next: download VIST: " in done.stdout
    done = run("dataset", "--data", folder / "data", "--check-photos")
    assert done.returncode == 0
    assert "cut short or broken JPEG" in done.stdout
    assert "Next: copy training/experiments/image_grouping.py" in done.stdout
