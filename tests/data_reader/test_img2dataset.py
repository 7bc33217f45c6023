"""Photos under the names that img2dataset gives them."""

import json

import pyarrow
import pytest
from pyarrow import parquet

from data_reader.errors import InputError
from data_reader.image_data_reader import find_photo_files

FLICKR = "https://farm1.staticflickr.com/2/123_0a1b2c3d4e_o.jpg?zz=1"


def photo(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"a photo")
    return [str(folder / name)]


def write_record(folder, key, **record):
    (folder / f"{key}.json").write_text(json.dumps(record))


def test_the_id_is_in_the_address_that_the_json_file_records(tmp_path):
    paths = photo(tmp_path / "00000", "000000012.jpg")
    write_record(tmp_path / "00000", "000000012", url=FLICKR, status="success")
    assert find_photo_files(tmp_path) == {"123": paths}


def test_a_column_of_one_s_own_says_the_id(tmp_path):
    paths = photo(tmp_path / "00000", "000000012.webp")
    write_record(tmp_path / "00000", "000000012", url="https://example.org/show?photo=7", id="a/7")
    assert find_photo_files(tmp_path) == {"a/7": paths}


def test_the_list_beside_the_folder_is_read_instead_of_its_json_files(tmp_path):
    folder = tmp_path / "00003"
    first, second = photo(folder, "000030000.jpg"), photo(folder, "000030001.jpg")
    write_record(folder, "000030000", url="https://example.org/another.jpg")
    columns = {"key": ["000030000", "000030001", "000030002"], "url": [FLICKR, "b/4_o.png", None]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "00003.parquet")
    assert find_photo_files(tmp_path) == {"123": first, "4": second}


def test_addresses_that_are_none_do_no_harm(tmp_path):
    paths = photo(tmp_path / "00000", "000000000.jpg")
    columns = {"key": ["000000000", "000000001"], "url": [FLICKR, "http://[host/2.jpg"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "00000.parquet")
    assert find_photo_files(tmp_path) == {"123": paths}
    columns = {"key": ["000000000"], "url": [7]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "00000.parquet")
    assert find_photo_files(tmp_path) == {"000000000": paths}


def test_json_and_parquet_files_of_something_else_change_nothing(tmp_path):
    (tmp_path / "sis").mkdir()
    (tmp_path / "sis/train.story-in-sequence.json").write_text("{cut short")
    paths = photo(tmp_path / "photos", "12.jpg")
    (tmp_path / "photos/12.json").write_text("{cut short")
    parquet.write_table(pyarrow.table({"photo": [12]}), tmp_path / "sis.parquet")
    write_record(tmp_path / "photos", "13", url=FLICKR)
    assert find_photo_files(tmp_path) == {"12": paths}


def test_a_broken_list_is_refused(tmp_path):
    photo(tmp_path / "00000", "000000012.jpg")
    (tmp_path / "00000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"00000\.parquet can't be read .*; restore it, since "):
        find_photo_files(tmp_path)
    write_record(tmp_path / "00000", "000000012", url=FLICKR)
    with pytest.raises(InputError, match=r"; delete it, the JSON files beside the photos say the"):
        find_photo_files(tmp_path)
