"""The ids of photos that img2dataset has downloaded, and named by their numbers in its list.

img2dataset (https://github.com/rom1504/img2dataset) writes photos as `00000/000000012.jpg`, with
`000000012.json` beside each photo and a list of all photos of the folder `00000` beside that
folder: `00000.parquet`.  Both record the photo's address.
"""

import json
import os
import re

from data_reader.errors import InputError

_KEY, _ADDRESS, _ID = "key", "url", "id"


def recorded_ids(folder, file_names, id_of_name):
    """Read the ids of the photos that img2dataset has downloaded into a folder.

    An id is the one that was given to img2dataset in an additional column `id`, or else that in
    the file name of the photo's address, as in Flickr's addresses.

    Args:
        file_names: of the files in the folder.
        id_of_name: makes the id of a file name.

    Returns:
        `{file name without its ending: photo id}`, empty for any other folder.

    Raises:
        InputError: the list beside the folder can't be read.
    """
    listing = f"{folder}.parquet"
    if os.path.isfile(listing):
        records = _read_listing(listing, file_names)
    else:
        records = _read_records(folder, file_names)
    return {key: _photo_id(record, id_of_name) for key, record in records.items()}


def _photo_id(record, id_of_name):
    if record.get(_ID) is not None:
        return str(record[_ID])
    return id_of_name(re.split("[?#]", record[_ADDRESS])[0].rpartition("/")[2])


def _read_listing(path, file_names):
    """Read the records of a Parquet file -> `{key: record}`; none if it is not img2dataset's.

    Args:
        file_names: of the files in the folder beside it.
    """
    import pyarrow  # here, since it takes a second
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = {_KEY, _ADDRESS, _ID}.intersection(file.schema_arrow.names)
            if not {_KEY, _ADDRESS} <= names:
                return {}
            records = file.read(columns=sorted(names)).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        has_json_files = any(name.endswith(".json") for name in file_names)
        advice = (
            "delete it, the JSON files beside the photos say the same"
            if has_json_files
            else "restore it, since nothing else says which photo is which, or delete it together "
            "with the folder beside it and download these photos again"
        )
        raise InputError(f"{path} can't be read ({error}); {advice}.") from error
    return {str(record[_KEY]): record for record in records if isinstance(record[_ADDRESS], str)}


def _read_records(folder, file_names):
    """Read the JSON files beside photos -> `{key: record}`; those of others are left out."""
    records = {}
    names = [os.path.splitext(name) for name in file_names]
    others = {key for key, ending in names if ending != ".json"}
    for key, ending in names:
        if ending == ".json" and key in others:
            record = _read_record(os.path.join(folder, f"{key}.json"))
            if isinstance(record, dict) and isinstance(record.get(_ADDRESS), str):
                records[key] = record
    return records


def _read_record(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
