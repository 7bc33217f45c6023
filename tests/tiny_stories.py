"""Annotations and features of three tiny stories, whose ids are any text."""

import json

import h5py
import numpy as np

IDS = ("my trip/1 ä", "..", "</script>&'\"" + 300 * "9")


def write_annotated(layout, split, photos_per_story):
    """The first two stories share their album and their photos."""
    annotations = [
        {
            "story_id": id_,
            "album_id": f"album/{number // 2}",
            "photo_flickr_id": f"ü {number // 2}_{place}",
            "worker_arranged_photo_order": place,
            "text": "the dog ran",
        }
        for number, id_ in enumerate(IDS)
        for place in range(photos_per_story)
    ]
    contents = {
        "info": {"photos_per_story": photos_per_story},
        "annotations": [[annotation] for annotation in annotations],
    }
    photos = sorted({annotation["photo_flickr_id"] for annotation in annotations})
    for path in (layout.annotations(split), layout.features(split)):
        path.parent.mkdir(parents=True, exist_ok=True)
    layout.annotations(split).write_text(json.dumps(contents), encoding="utf-8")
    with h5py.File(layout.features(split), "w") as file:
        file["embeddings"] = np.random.default_rng(0).random((len(photos), 6), np.float32)
        file.create_dataset("image_ids", data=photos, dtype=h5py.string_dtype())
        file.attrs["extractor"] = "alexnet"
