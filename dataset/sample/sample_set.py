"""Writing the sample set in VIST's format: photos in a folder per split, annotations in JSON."""

import os
import shutil
from dataclasses import dataclass
from multiprocessing import TimeoutError, active_children, get_context
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.fields import read_fields
from data_reader.files import exclusive_lock, read_json, write_json
from data_reader.image_data_reader import read_photo
from data_reader.layout import SPLITS, DataLayout
from data_reader.signals import ignored_by_children
from dataset.sample.albums import EVENTS, Album, choose_photos, invent_album
from dataset.sample.narrators import choose_narrators, describe, narrate, original_text, wordings
from dataset.sample.scenes import draw_photo

ALBUMS = (300, 30, 60)  # train, valid, test
SMOKE_ALBUMS = (12, 4, 6)
SEED = 7
STORIES_PER_ALBUM = 5
_FEWEST_TRAINING_ALBUMS = 3  # with fewer no story would be left, because of the broken photos
_PNG_EVERY = 20
_JPEG_OPTIONS = [cv2.IMWRITE_JPEG_QUALITY, 85]
_INVENTING, _NARRATING, _DRAWING = range(3)  # purposes of `NumberedAlbum.random`
_NAMES = (("Alex", "Maria"), ("Sam", "Nina"), ("Tom", "Eva"), ("Leo", "Ana"))


@dataclass(frozen=True)
class NumberedAlbum:
    """An album with its number in the set, which determines its ids and its randomness."""

    split: str
    number: int
    seed: int
    album: Album

    @property
    def album_id(self):
        return str(72157600000000000 + self.number)

    def photo_id(self, position):
        return str(5100000000 + self.number * 100 + position)

    def story_id(self, story):
        return str(30000 + self.number * STORIES_PER_ALBUM + story)

    def file_name(self, position):
        ending = "png" if (self.number + position) % _PNG_EVERY == 0 else "jpg"
        return f"{self.photo_id(position)}.{ending}"

    def random(self, purpose):
        """Make a random generator for one purpose, independent of the order of the work."""
        return np.random.default_rng([self.seed, self.number, purpose])


def make_sample_set(layout, albums_per_split=ALBUMS, seed=SEED):
    """Write the sample set under `layout.vist`, completely or not at all; keep an existing one.

    Raises:
        InputError: there are too few albums, the folder holds something else or a sample set of
            other numbers, or another process is making it.
    """
    if albums_per_split[0] < _FEWEST_TRAINING_ALBUMS or min(albums_per_split) < 1:
        raise InputError(
            f"A sample set needs at least {_FEWEST_TRAINING_ALBUMS} training albums and one of "
            f"each other split, not {' '.join(map(str, albums_per_split))}."
        )
    made_with = {"albums_per_split": list(albums_per_split), "seed": seed}
    if layout.vist.exists():
        _check_same(layout, made_with)
        print(f"The sample set exists already: {layout.vist}")
        return

    albums = invent_albums(albums_per_split, seed)
    broken = _write_all(layout, albums, made_with)
    counts = ", ".join(f"{len(a)} {split}" for split, a in albums.items())
    print(f"{counts} albums in {layout.vist}")
    print("Broken on purpose, as some files of the real VIST are:", *broken, sep="\n  ")


def _write_all(layout, albums, made_with):
    """Write the whole set beside its place and rename it -> one line for each broken thing."""
    every_album = [album for split_albums in albums.values() for album in split_albums]
    unfinished = DataLayout(layout.root / ".sample_being_written")
    refusal = f"Another process is making the sample set {layout.vist}; wait until it has finished."
    with exclusive_lock(unfinished.root, refusal):
        try:
            shutil.rmtree(unfinished.vist, ignore_errors=True)  # of a killed process
            for split, split_albums in albums.items():
                write_annotations(unfinished, split, split_albums)
            write_photos(unfinished, every_album)
            broken = break_some(unfinished, albums["train"])
            write_facts(unfinished, every_album, made_with)
            unfinished.vist.rename(layout.vist)
        finally:
            shutil.rmtree(unfinished.root, ignore_errors=True)
    return broken


def _check_same(layout, made_with):
    if not layout.facts.exists():
        raise InputError(
            f"{layout.vist} holds something other than a sample set; give another --data folder."
        )
    found = read_fields(layout.facts, {}).get("made_with")
    if found != made_with:
        raise InputError(
            f"{layout.vist} holds a sample set made with {found}, not with {made_with}; "
            "remove it first or give another --data folder."
        )


def invent_albums(albums_per_split, seed):
    """Invent all albums -> `{split: albums}`; each split goes through the events in turn."""
    numbers = iter(range(sum(albums_per_split)))
    return {
        split: [_invent(split, next(numbers), place, seed) for place in range(count)]
        for split, count in zip(SPLITS, albums_per_split, strict=True)
    }


def _invent(split, number, place, seed):
    rng = np.random.default_rng([seed, number, _INVENTING])
    return NumberedAlbum(split, number, seed, invent_album(EVENTS[place % len(EVENTS)], rng))


def write_annotations(layout, split, albums):
    """Write both annotation files of a split."""
    stories, descriptions = [], []
    for album in albums:
        stories.extend(_story_annotations(album))
        descriptions.extend(_description_annotations(album))
    for tier, annotations in (
        ("story-in-sequence", stories),
        ("description-in-isolation", descriptions),
    ):
        write_json(layout.annotations(split, tier), _vist_file(tier, albums, annotations), 1)


def _story_annotations(numbered):
    album, rng = numbered.album, numbered.random(_NARRATING)
    rows = choose_photos(album, STORIES_PER_ALBUM, rng)
    narrators = choose_narrators(album, STORIES_PER_ALBUM, rng)
    names = dict(zip(("[male]", "[female]"), _NAMES[numbered.number % len(_NAMES)], strict=True))
    for story, (positions, narrator) in enumerate(zip(rows, narrators, strict=True)):
        for order, text in enumerate(narrate(album, positions, narrator, rng)):
            yield {
                "original_text": original_text(text, names),
                "album_id": numbered.album_id,
                "photo_flickr_id": numbered.photo_id(positions[order]),
                "setting": "first-2-pick-and-tell" if story < 2 else "last-3-pick-old-and-tell",
                "worker_id": narrator,
                "story_id": numbered.story_id(story),
                "tier": "story-in-sequence",
                "worker_arranged_photo_order": order,
                "text": text,
                "storylet_id": str(int(numbered.story_id(story)) * 10 + order),
            }


def _description_annotations(numbered):
    for position, photo in enumerate(numbered.album.photos):
        text = describe(numbered.album, photo)
        yield {
            "original_text": original_text(text, {}),
            "album_id": numbered.album_id,
            "photo_flickr_id": numbered.photo_id(position),
            "setting": "first-2-pick-and-tell",
            "worker_id": "visitor",
            "photo_order_in_story": position,
            "tier": "descriptions-in-isolation",
            "text": text,
        }


def _vist_file(tier, albums, annotations):
    return {
        "info": {
            "description": f"Drawn sample of the Visual Storytelling dataset, {tier}",
            "version": "1.0",
            "year": 2018,
        },
        "type": tier,
        "albums": [
            {"id": a.album_id, "title": a.album.event, "photos": str(len(a.album.photos))}
            for a in albums
        ],
        "images": [
            {
                "id": album.photo_id(position),
                "album_id": album.album_id,
                "title": photo.moment,
                "url_o": album.file_name(position),
            }
            for album in albums
            for position, photo in enumerate(album.album.photos)
        ],
        # VIST wraps each annotation in a list of its own.
        "annotations": [[annotation] for annotation in annotations],
    }


def write_photos(layout, albums):
    """Draw every photo of every album, in as many processes as there are cores.

    Raises:
        OSError: a photo can't be written, or a process was killed.
    """
    jobs = [(layout.photos(album.split), album) for album in albums]
    # "spawn", since forking a process with threads, such as TensorFlow's, may hang.
    with ignored_by_children():
        drawing = get_context("spawn").Pool(os.cpu_count())
    with drawing as pool:
        workers = active_children()
        done = pool.imap_unordered(_write_album_photos, jobs)
        for _ in tqdm(range(len(jobs)), desc="drawing", unit="album", disable=None):
            _next(done, workers)


def _next(done, workers):
    """Wait for the next result; a pool would wait for ever for that of a killed process."""
    while True:
        try:
            return done.next(timeout=1)
        except TimeoutError:
            if not all(worker.is_alive() for worker in workers):
                raise OSError("A process that draws photos was killed.") from None


def _write_album_photos(job):
    folder, numbered = job
    folder = Path(folder) / "images" / numbered.album_id
    folder.mkdir(parents=True, exist_ok=True)
    rng = numbered.random(_DRAWING)
    for position, photo in enumerate(numbered.album.photos):
        drawn = draw_photo(numbered.album, photo, rng)
        path = folder / numbered.file_name(position)
        _save(drawn, path)


def write_facts(layout, albums, made_with):
    """Write the facts of every album and photo, and the wordings of each fact in a story."""
    write_json(
        layout.facts,
        {
            "made_with": made_with,
            "wordings": wordings(),
            "albums": {album.album_id: _album_facts(album) for album in albums},
        },
        indent=1,
    )


def _album_facts(numbered):
    album = numbered.album
    return {
        "event": album.event,
        "weather": album.weather,
        "clothes": album.hero.clothes,
        "keepsake": album.keepsake,
        "photos": {
            numbered.photo_id(position): {
                "moment": photo.moment,
                "shows_keepsake": photo.shows_keepsake,
            }
            for position, photo in enumerate(album.photos)
        },
    }


def break_some(layout, albums):
    """Break a few photos and one description of a split, as some are in the real VIST.

    Returns:
        One line for each broken thing.
    """
    folder = layout.photos(albums[0].split)
    paths = sorted((folder / "images").rglob("*.jpg"))
    cut, gif, grey, gone, undescribed = paths[:: max(1, len(paths) // 5)][:5]
    cut.write_bytes(cut.read_bytes()[:100])
    _save(read_photo(gif), gif.with_suffix(".gif"))
    gif.unlink()
    _save(cv2.imdecode(np.fromfile(grey, np.uint8), cv2.IMREAD_GRAYSCALE), grey)
    gone.unlink()
    _drop_description(layout, albums[0].split, undescribed.stem)
    return [
        f"{cut.name} is cut short",
        f"{gif.stem}.gif is a GIF",
        f"{grey.name} is greyscale",
        f"{gone.name} is missing",
        f"{undescribed.name} has no description",
    ]


def _save(photo, path):
    """Write a photo by its path, which OpenCV, where it isn't UTF-8, could not."""
    options = _JPEG_OPTIONS if path.suffix == ".jpg" else []
    _, encoded = cv2.imencode(path.suffix, photo, options)
    path.write_bytes(encoded)


def _drop_description(layout: DataLayout, split, photo_id):
    path = layout.annotations(split, "description-in-isolation")
    contents = read_json(path)
    contents["annotations"] = [
        entry for entry in contents["annotations"] if entry[0]["photo_flickr_id"] != photo_id
    ]
    write_json(path, contents, 1)
