"""A small VIST of real files, with one problem at a time."""

import csv
import json
import shutil
import subprocess
import sys

import cv2
import h5py
import numpy as np
import pytest

from data_reader.layout import DataLayout
from data_reader.vocabulary import SPECIAL_WORDS, Vocabulary
from dataset import next_step as next_step_module
from dataset import survey as survey_module
from dataset.next_step import next_step
from dataset.survey import find_problems, survey, write_problems
from dataset.survey_report import report

PHOTOS = [str(number) for number in range(100, 106)]


@pytest.fixture(autouse=True)
def downloads(tmp_path_factory, monkeypatch):
    """No downloads, whatever the developer's own `dataset/` contains."""
    folder = tmp_path_factory.mktemp("downloads")
    monkeypatch.setattr(survey_module, "WORD_VECTORS", folder / "glove.6B.300d.txt")
    monkeypatch.setattr(survey_module, "ALEXNET_WEIGHTS", folder / "bvlc_alexnet.npy")
    return folder


def save_photo(layout, split, photo, ending="jpg"):
    path = layout.photos(split) / "images" / f"{photo}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((8, 8, 3), 90, np.uint8))
    return path


def save_annotations(layout, split, stories):
    """`stories`: `{story id: photo ids}`; story 1 is of album 71."""
    save_tier(
        layout,
        split,
        "story-in-sequence",
        [
            {
                "story_id": story,
                "album_id": f"7{story}",
                "photo_flickr_id": photo,
                "worker_arranged_photo_order": order,
                "text": "a dog .",
            }
            for story, photos in stories.items()
            for order, photo in enumerate(photos)
        ],
    )


def save_descriptions(layout, split, photos):
    rows = [{"photo_flickr_id": photo, "text": "a dog ."} for photo in photos]
    save_tier(layout, split, "description-in-isolation", rows)


def save_tier(layout, split, tier, annotations):
    path = layout.annotations(split, tier)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"annotations": [[row] for row in annotations]}), encoding="utf-8")


def save_features(layout, split, photos, extractor="alexnet", rows=None):
    path = layout.features(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["embeddings"] = np.zeros((len(photos) if rows is None else rows, 2), np.float32)
        file.create_dataset("image_ids", data=list(photos), dtype=h5py.string_dtype())
        file.attrs["extractor"] = extractor


def save_stories(layout, split, count):
    vocabulary = Vocabulary((*SPECIAL_WORDS, "dog"))
    vocabulary.write(layout.vocabulary)
    path = layout.stories(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["story_ids"] = np.arange(count)
        file["story_sentences"] = np.int32([[[1, 2] + [0] * 20] * 5] * count)
        file["image_embeddings"] = np.zeros((count, 5, 2), np.float32)
        file.attrs["vocabulary_size"] = 5
        file.attrs["vocabulary_checksum"] = vocabulary.checksum
        file.attrs["extractor"] = "alexnet"


@pytest.fixture
def layout(tmp_path):
    """A sound train split of two stories and six photos, marked as a sample set."""
    layout = DataLayout(tmp_path / "data")
    save_annotations(layout, "train", {"1": PHOTOS[:5], "2": PHOTOS[1:]})
    save_descriptions(layout, "train", PHOTOS)
    for photo in PHOTOS:
        save_photo(layout, "train", photo)
    layout.facts.write_text("{}")
    return layout


def problems(layout, **options):
    return [(p.split, p.kind, p.id) for p in find_problems(survey(layout, **options))]


def row(text, title):
    """The cells of a row of the table."""
    [line] = [line for line in text.splitlines() if line.strip().startswith(f"{title}  ")]
    return line.strip().removeprefix(title).split()


def shown(layout, **options):
    found = survey(layout, **options)
    return report(found, *write_problems(found))


def listed(layout):
    with (layout.root / "problems.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def step(layout, **options):
    return next_step(survey(layout, **options))


def test_a_sound_split_is_counted_and_has_no_problems(layout):
    text = shown(layout)
    assert row(text, "stories") == ["2", "missing", "missing"]
    assert row(text, "albums") == ["2", "-", "-"]
    assert row(text, "photos they use") == ["6", "-", "-"]
    assert row(text, "photos found") == ["6", "missing", "missing"]
    assert row(text, "photos described") == ["6", "missing", "missing"]
    assert row(text, "unreadable") == ["unchecked", "-", "-"]
    assert "none (0 rows in" in text
    assert listed(layout) == [["split", "kind", "id", "reason", "path"]]


def test_missing_files_are_shown_with_path_and_command(layout):
    layout.facts.unlink()
    lines = [line.strip() for line in shown(layout).splitlines()]
    vist = lines.index(
        f"annotations, of VIST by python -m dataset.download annotations --data {layout}:"
    )
    assert "vist_dataset/validate_data/sis/val.story-in-sequence.json" in lines[vist:]
    photos = lines.index(f"photos, of VIST by python -m dataset.download photos --data {layout}:")
    assert lines[photos + 1].startswith("vist_dataset/validate_data/  (photos")
    assert not any(line.startswith("vist_dataset/training_data") for line in lines)
    weights = f"AlexNet weights, by python -m dataset.download alexnet --data {layout}:"
    assert lines[lines.index(weights) + 1].endswith("bvlc_alexnet.npy")
    features = f"features, by python -m dataset.models.alexnet --data {layout}:"
    assert lines[lines.index(features) + 1] == "models/alexnet/alexnet_image_train_features.hdf5"
    assert f"word vectors (optional), by python -m dataset.download glove --data {layout}:" in lines


def test_only_photos_that_stories_use_are_missing(layout):
    (layout.photos("train") / "images" / "103.jpg").unlink()
    save_photo(layout, "train", "999")
    text = shown(layout)
    assert row(text, "used, but not found") == ["1", "-", "-"]
    assert "photos of the train stories: 1, listed in problems.csv" in text
    [problem] = listed(layout)[1:]
    assert problem[:4] == ["train", "missing photo", "103", "no file; uses in stories: 2"]


def test_failed_downloads_explain_missing_photos(layout):
    (layout.photos("train") / "images" / "103.jpg").unlink()
    rows = "103,http://x/103.jpg,404 Not Found\n104,http://x/104.jpg,temporary: no connection\n"
    layout.failed_downloads("train").write_text(f"id,address,reason\n{rows}")
    assert row(shown(layout), "of these, failed downloads") == ["1", "-", "-"]
    [problem] = listed(layout)[1:]
    assert problem[3] == "no file; uses in stories: 2; its download failed: 404 Not Found"
    layout.failed_downloads("train").write_text("something else\n")
    assert problems(layout)[0] == ("train", "broken list of failed downloads", "")


def test_without_any_photo_there_is_one_problem_not_six(layout):
    for path in (layout.photos("train") / "images").iterdir():
        path.unlink()
    assert problems(layout) == [("train", "no photos", "")]
    save_features(layout, "train", PHOTOS)  # they may be there without the photos
    assert problems(layout) == []
    save_features(layout, "train", PHOTOS[:5])
    assert problems(layout) == [("train", "photo without features", "105")]


def test_every_photo_is_decoded_even_if_no_story_uses_it(layout):
    cut = layout.photos("train") / "images" / "100.jpg"
    cut.write_bytes(cut.read_bytes()[:200])
    (layout.photos("train") / "999.gif").write_bytes(b"")
    text = shown(layout, check_photos=True)
    assert row(text, "unreadable") == ["2", "-", "-"]
    assert "train       1  cut short or broken JPEG" in text
    assert "train       1  empty file" in text
    assert [(r[1], r[2], r[3], r[4]) for r in listed(layout)[1:]] == [
        ("unreadable photo", "100", "cut short or broken JPEG", str(cut)),
        ("unreadable photo", "999", "empty file", str(layout.photos("train") / "999.gif")),
    ]
    assert problems(layout) == []


def test_two_files_with_one_id(layout):
    second = save_photo(layout, "train", "100_o", "png")
    [problem] = find_problems(survey(layout))
    assert (problem.kind, problem.id, problem.path) == ("duplicate photo", "100", str(second))
    assert "images/100.jpg" in problem.reason


def test_stories_that_are_not_five_photos_and_photos_without_description(layout):
    save_annotations(layout, "train", {"1": PHOTOS[:5], "2": PHOTOS[:4], "x": PHOTOS[1:]})
    save_descriptions(layout, "train", PHOTOS[1:])
    assert problems(layout) == [
        ("train", "unusable story", "2"),
        ("train", "photo without description", "100"),
    ]
    assert listed_reason(layout) == "4 photos instead of 5"


def listed_reason(layout):
    return find_problems(survey(layout))[0].reason


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ("", "is empty"),
        ('{"annotations": [[{"st', "is cut short or not JSON"),
        ('{"images": []}', "no 'annotations'"),
        ('{"annotations": 5}', "not a list of lists"),
        ('{"annotations": ["ab"]}', "not a list of lists"),
        ('{"annotations": [[{"story_id": "1"}]]}', "lacks the field 'worker_arranged"),
    ],
)
def test_a_broken_annotation_file_is_a_problem_and_does_not_end_the_survey(
    layout, contents, reason
):
    layout.annotations("train").write_text(contents)
    text = shown(layout)
    assert row(text, "stories") == ["broken", "missing", "missing"]
    assert row(text, "photos found") == ["6", "missing", "missing"]
    [problem] = listed(layout)[1:]
    assert problem[:3] == ["train", "broken annotations", ""]
    assert reason in problem[3]
    assert problem[4] == str(layout.annotations("train"))
    assert not step(layout).can_run
    assert step(layout).text.startswith(f"delete {layout.annotations('train')}, which is broken")


def test_ids_that_are_numbers_are_not_vist_s(layout):
    save_annotations(layout, "train", {"1": [100, 101, 102, 103, 104]})
    assert problems(layout) == [("train", "broken annotations", "")]


def test_photos_of_stories_without_features(layout):
    save_features(layout, "train", PHOTOS[:4])
    text = shown(layout)
    assert row(text, "photos with alexnet features") == ["4", "missing", "missing"]
    assert row(text, "used, but without features") == ["2", "-", "-"]
    assert problems(layout) == [
        ("train", "photo without features", "104"),
        ("train", "photo without features", "105"),
    ]
    (layout.photos("train") / "images" / "105.jpg").unlink()
    assert problems(layout) == [
        ("train", "missing photo", "105"),
        ("train", "photo without features", "104"),
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"extractor": "resnet50"}, "its extractor is resnet50, expected alexnet"),
        ({"rows": 5}, r"has image_ids of shape [6], expected [5]"),
    ],
)
def test_a_features_file_that_does_not_fit_is_made_again(layout, options, reason):
    save_features(layout, "train", PHOTOS, **options)
    assert problems(layout) == [("train", "broken features", "")]
    assert reason in listed_reason(layout)
    assert step(layout) == (f"python -m dataset.models.alexnet --data {layout}", True)


def test_files_cut_short_are_broken(layout):
    save_features(layout, "train", PHOTOS)
    save_stories(layout, "train", 2)
    for path in (layout.features("train"), layout.stories("train"), layout.vocabulary):
        path.write_bytes(path.read_bytes()[:50])
    layout.means.write_text('{"blue_mean": 300}')
    assert problems(layout) == [
        ("train", "broken features", ""),
        ("train", "broken stories file", ""),
        ("", "broken channel means", ""),
        ("", "broken vocabulary", ""),
    ]


def test_a_stories_file_of_another_vocabulary_is_broken(layout):
    save_stories(layout, "train", 2)
    Vocabulary((*SPECIAL_WORDS, "cat")).write(layout.vocabulary)
    assert problems(layout) == [("train", "broken stories file", "")]


def test_a_stories_file_of_another_extractor_is_made_again(layout):
    save_features(layout, "train", PHOTOS)
    save_stories(layout, "train", 2)
    with h5py.File(layout.stories("train"), "a") as file:
        file.attrs["extractor"] = "resnet50"
    assert problems(layout) == [("train", "broken stories file", "")]
    assert step(layout) == (f"python -m data_reader --data {layout}", True)


def test_the_next_step_follows_the_documented_order(layout):
    assert step(DataLayout(layout.root / "nothing")) == (
        f"download VIST: python -m dataset.download annotations photos --data {layout}/nothing; or "
        "import stories of your own (docs/data.md); or make the sample set: "
        f"python -m dataset.sample --data {layout}/nothing",
        False,
    )
    assert step(layout) == (f"python -m dataset.models.alexnet --data {layout}", True)
    assert step(layout, extractor="resnet50") == (
        f"python -m dataset.image_features --extractor resnet50 --data {layout}",
        True,
    )
    save_features(layout, "train", PHOTOS)
    assert step(layout) == (f"python -m data_reader --data {layout}", True)
    save_stories(layout, "train", 2)
    text, can_run = step(layout)
    assert not can_run
    download = f"python -m dataset.download annotations --data {layout}"
    assert text == f"training needs train and valid stories: {download}"
    save_stories(layout, "valid", 1)
    text, can_run = step(layout)
    assert can_run
    assert f'data="{layout}"' in text
    assert row(shown(layout), "stories ready for training") == ["2", "1", "missing"]


@pytest.mark.parametrize(
    ("folder", "experiment"),
    [("dataset", "vist_image_grouping"), ("dataset/sample_data", "image_grouping")],
)
def test_a_folder_of_the_repository_has_its_experiment(
    layout, tmp_path, monkeypatch, folder, experiment
):
    monkeypatch.setattr(next_step_module, "REPOSITORY", tmp_path)
    shutil.copytree(layout.root, tmp_path / folder)
    own = DataLayout(tmp_path / folder)
    for split in ("train", "valid"):
        save_features(own, split, PHOTOS)
        save_stories(own, split, 1)
    assert step(own) == (f"python -m training.experiments.{experiment}", True)


def test_real_photos_need_the_published_weights(layout, downloads):
    layout.facts.unlink()
    assert step(layout) == (
        f"python -m dataset.download alexnet --data {layout}, then: "
        f"python -m dataset.models.alexnet --data {layout}",
        True,
    )
    assert step(layout, extractor="resnet50").can_run

    weights = np.array({"conv1": [np.zeros(2), np.zeros(1)]}, object)
    np.save(downloads / "bvlc_alexnet.npy", weights)
    assert step(layout).can_run

    (downloads / "bvlc_alexnet.npy").write_bytes(b"<html>")
    assert problems(layout) == [("", "broken AlexNet weights", "")]
    assert not step(layout).can_run


def test_stories_without_descriptions_or_with_broken_ones(layout):
    save_features(layout, "train", PHOTOS)
    path = layout.annotations("train", "description-in-isolation")
    path.write_text("{")
    assert not step(layout).can_run
    path.unlink()
    assert step(layout) == (f"python -m data_reader --no-descriptions --data {layout}", True)


def test_a_broken_file_of_another_split_does_not_block_the_next_step(layout):
    path = layout.annotations("valid")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert problems(layout) == [("valid", "broken annotations", "")]
    assert step(layout).can_run
    save_features(layout, "train", PHOTOS)
    assert step(layout) == (f"python -m data_reader --data {layout}", True)
    save_features(layout, "valid", PHOTOS)
    assert step(layout) == (
        f"delete {path}, which can't be read, then: python -m dataset.download annotations "
        f"--data {layout}, then: python -m data_reader --data {layout}",
        False,
    )


def test_no_story_with_all_its_features_is_not_enough(layout):
    save_features(layout, "train", PHOTOS[1:4])
    assert step(layout) == (
        f"python -m dataset.models.alexnet --data {layout}, then: "
        f"python -m data_reader --data {layout}",
        True,
    )
    for photo in (PHOTOS[0], *PHOTOS[4:]):
        (layout.photos("train") / "images" / f"{photo}.jpg").unlink()
    text, can_run = step(layout)
    assert not can_run
    assert "none of which can be used" in text


def test_an_interrupted_download_goes_on(layout):
    (layout.photos("train") / "images" / "103.jpg").unlink()
    assert step(layout) == (f"python -m dataset.models.alexnet --data {layout}", True)
    layout.failed_downloads("train").write_text("id,address,reason\n103,,temporary: cut\n")
    assert step(layout) == (f"python -m dataset.download photos --data {layout}", True)
    layout.failed_downloads("train").write_text("id,address,reason\n103,,404 Not Found\n")
    assert step(layout) == (f"python -m dataset.models.alexnet --data {layout}", True)


def test_photos_that_no_story_uses_are_to_be_renamed(layout):
    for path in (layout.photos("train") / "images").iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    ids = "their ids are such as x100, those in the stories such as 100"
    assert step(layout) == (f"rename the train photos: {ids}", False)


def test_other_features_that_are_there_are_named(layout):
    shutil.rmtree(layout.photos("train") / "images")
    layout.features("train", "terms").parent.mkdir(parents=True)
    layout.features("train", "terms").touch()
    assert step(layout) == (f"python -m dataset --extractor terms --data {layout}", True)
    assert "other features   terms\n" in shown(layout)


def test_a_folder_that_can_not_be_written_to_is_surveyed(layout, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(survey_module, "write_csv", refuse)
    assert "none" in shown(layout)
    (layout.photos("train") / "images" / "103.jpg").unlink()
    assert "1 row, not listed: problems.csv can't be written there" in shown(layout)


def mark_as_imported(layout, split, photos_per_story):
    path = layout.annotations(split)
    contents = json.loads(path.read_text())
    info = {"imported_from": "stories.jsonl", "photos_per_story": photos_per_story}
    path.write_text(json.dumps(contents | {"info": info}))


def test_stories_of_one_s_own_are_not_completed_by_a_download(layout):
    mark_as_imported(layout, "train", 5)
    save_features(layout, "train", PHOTOS)
    save_stories(layout, "train", 2)
    assert "description-in-isolation" not in shown(layout)
    needed = "training needs train and valid stories: import stories of the valid split as well"
    assert step(layout) == (needed, False)


def test_without_photos_their_features_are_imported(layout):
    shutil.rmtree(layout.photos("train") / "images")
    assert step(layout) == (f"python -m dataset.download photos --data {layout}", True)
    arel = f"python -m dataset.download features --data {layout}"
    assert step(layout, extractor="arel") == (arel, True)
    layout.arel_features.parent.mkdir(parents=True)
    layout.arel_features.touch()
    assert step(layout) == (f"python -m dataset --extractor arel --data {layout}", True)
    text, can_run = step(layout, extractor="arel")
    assert can_run
    assert f"--from-npy {layout.arel_features}/resnet_features/fc --extractor arel" in text
    mark_as_imported(layout, "train", 5)
    text, can_run = step(layout, extractor="terms")
    assert not can_run
    assert text.endswith(
        f"python -m dataset.image_features --from-npy PATH --extractor terms --data {layout}"
    )


def test_stories_of_another_number_of_photos(layout):
    mark_as_imported(layout, "train", 4)
    save_stories(layout, "train", 2)
    text = shown(layout)
    assert row(text, "photos in each") == ["4", "-", "-"]
    assert "its stories have 5 photos, those of the annotations 4." in text
    assert ("train", "unusable story", "1") in problems(layout)


def test_word_vectors_are_found_by_any_glove_name(layout, downloads):
    assert "word vectors     none" in shown(layout)
    (downloads / "glove.840B.300d.txt").touch()
    assert "word vectors     glove.840B.300d.txt" in shown(layout)


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dataset", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_exit_status_is_whether_the_next_step_can_run(layout):
    done = run("--data", layout, "--check-photos")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"Next: python -m dataset.models.alexnet --data {layout}\n")

    done = run("--data", layout.root / "nothing")
    assert (done.returncode, done.stderr) == (1, "")
    assert not (layout.root / "nothing").exists()

    done = run("--data", layout.facts)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    done = run("--data", layout, "--extractor", "../x")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_the_command_does_not_import_tensorflow(layout):
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['x', '--data', {str(layout)!r}]\n"
        "try: runpy.run_module('dataset', run_name='__main__')\n"
        "except SystemExit as done: assert done.code == 0\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
