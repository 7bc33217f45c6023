"""Stories of photos from Python, the same as the command's; from runs and from shared models."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image
from tiny_extraction import mean_colour
from tiny_model import write_model, write_photos

from data_reader.errors import InputError
from data_reader.files import write_json
from dataset import extractors
from generation import __main__ as command
from generation import load, photo_stories
from generation.attribution import GRADIENT
from generation.constraints import DecodingConstraints
from generation.decoding import Greedy
from generation.own_photos import photos_of_story, read_given
from models.share import Origin, share

TWO_WORDS = Greedy(DecodingConstraints(max_words=2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run, the same as a shared folder and zip, and three photos."""
    folder = tmp_path_factory.mktemp("photo_stories")
    run = write_model(folder / "run")
    for name in ("shared", "shared.zip"):
        share(run, folder / name, Origin("colours", "mit", "en"))
    write_photos(folder / "photos")
    return folder


@pytest.fixture(autouse=True)
def extractor(monkeypatch):
    for module in (extractors, photo_stories):
        monkeypatch.setattr(module, "load_extractor_of", lambda features: mean_colour())


@pytest.fixture(scope="module")
def generator(folder):
    return load(folder / "shared.zip")


def generate(generator, photos, decoding=None):
    """A story of three photos without the warning that training had five."""
    with pytest.warns(UserWarning, match=r"^training used stories of 5 photos, none of 3\.$"):
        return generator.generate(photos, decoding)


def printed(folder, model, monkeypatch, capsys):
    """The sentences that the command prints."""
    options = ["--run", str(folder / model), "--max-words", "2"]
    monkeypatch.setattr(sys, "argv", ["generation", str(folder / "photos"), *options])
    command.main()
    return re.findall(r"^  \d\.png +(.+)$", capsys.readouterr().out, re.MULTILINE)


def test_all_ways_to_a_model_generate_the_same(folder, generator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    story = generate(generator, folder / "photos", TWO_WORDS)
    assert len(story) == 3
    assert len({*story}) > 1
    assert set(" ".join(story).split()) <= {"<UNK>", "the", "dog", "ran"}
    assert printed(folder, "shared", monkeypatch, capsys) == story
    same = load(folder / "run")
    assert same.vocabulary == generator.vocabulary
    for ours, theirs in zip(same.model.weights, generator.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    [strip] = (tmp_path / "shared_stories" / "strips").iterdir()
    assert strip.name.startswith("own_")
    assert [path.name for path in tmp_path.iterdir()] == ["shared_stories"]


def test_paths_images_and_arrays_give_the_same_story(folder, generator):
    paths = sorted((folder / "photos").iterdir())
    images = [Image.open(path) for path in paths]
    story = generate(generator, map(str, paths), TWO_WORDS)
    assert max(len(sentence.split()) for sentence in story) == 2
    assert generate(generator, images, TWO_WORDS) == story
    assert generate(generator, [np.asarray(image) for image in images], TWO_WORDS) == story
    mixed = [paths[0], images[1], np.asarray(images[2])]
    assert generate(generator, mixed, TWO_WORDS) == story
    compiled = generator._generator(TWO_WORDS)
    assert generator._generator(Greedy(DecodingConstraints(max_words=2))) is compiled


def test_arrays_are_red_green_blue_and_images_upright():
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert read_given(pixels)[0, 0].tolist() == [2, 1, 0]
    turned = Image.fromarray(pixels)
    turned.getexif()[274] = 3  # upside down
    assert read_given(turned).tolist() == pixels[::-1, ::-1, ::-1].tolist()
    assert read_given(Image.new("L", (1, 1), 7)).tolist() == [[[7, 7, 7]]]


def test_a_decoding_is_an_object(folder, generator):
    with pytest.raises(InputError, match="decoding is 'beam3'; it must be a Greedy, BeamSearch"):
        generate(generator, folder / "photos", "beam3")


def test_the_words_of_a_story_are_attributed(folder, generator):
    sentences = ["the dog", "ran", "the cat ran"]
    maps, titles = generator.attribution(folder / "photos", sentences)
    assert titles == [f"photos: {GRADIENT}", f"previous sentence: {GRADIENT}"]
    photos, previous = maps[2]
    assert photos.words == ["the", "<UNK>", "ran", "<END>"]
    assert previous.sources == ["<START>", "ran", "<END>"]
    assert photos.shares.shape == (3, 4)
    np.testing.assert_allclose(photos.shares.sum(axis=0), 1, atol=1e-5)
    assert photos.sources[0][0, 0].tolist() == [250, 10, 30]
    with pytest.raises(InputError, match="There are 3 photos, but 1 sentences"):
        generator.attribution(folder / "photos", ["the dog"])


def wrong(photo):
    return [photo, np.zeros((4, 4, 3), np.uint8)]


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        ([], r"1 to 20 photos, got 0\."),
        ([Image.new("RGB", (4, 4))] * 21, r"1 to 20 photos, got 21\."),
        (np.zeros((4, 4, 3), np.uint8), r"number 1 can't be read: it is uint8 \[4, 3\], expected"),
        (wrong(np.zeros((4, 4, 3))), r"number 1 .* it is float64 \[4, 4, 3\], expected a path"),
        (wrong(np.zeros((4, 4, 4), np.uint8)), r"it is uint8 \[4, 4, 4\], expected"),
        (wrong([1, 2]), "number 1 can't be read: it is list, expected a path"),
        (wrong(Image.new("I;16", (4, 4))), "its mode is I;16; convert it to RGB"),
        ([__file__, __file__], r"test_photo_stories\.py can't be read: not a photo"),
    ],
)
def test_other_photos_are_refused(generator, photos, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match=message):
            generator.generate(photos)
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        generator.generate("nowhere")


def test_a_folder_or_paths_are_put_in_order_as_the_command_does(folder):
    paths = sorted((folder / "photos").iterdir())
    assert photos_of_story(folder / "photos") == paths
    assert photos_of_story(reversed(paths)) == paths[::-1]


def test_models_that_can_not_be_loaded(folder, tmp_path):
    with pytest.raises(InputError, match="precision is 'double'; it must be float32 or"):
        load(folder / "run", precision="double")
    run = write_model(tmp_path / "run", model="tiny_story_model:Model")
    share(run, tmp_path / "shared", Origin("colours", "mit", "en"))
    with pytest.raises(InputError, match="needs tiny_story_model:Model"):
        load(tmp_path / "shared")
    with pytest.raises(InputError, match="there is no module tiny_story_model"):
        load(tmp_path / "shared", trust=["tiny_story_model"])
    write_json(tmp_path / "shared" / "vocabulary.json", [])
    with pytest.raises(InputError, match=r"vocabulary\.json is not as it was shared"):
        load(tmp_path / "shared")


def test_importing_load_does_not_import_tensorflow(folder):
    code = (
        "import sys\n"
        "from generation import load\n"
        "try: load(sys.argv[1])\n"
        "except FileNotFoundError: sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder / "no_model")], check=False)
    assert done.returncode == 0
