"""A split's photos from a server on the loopback, and the list of those that failed."""

import csv
import json
import socket
import time
import zlib

import cv2
import numpy as np
import pytest
from faulty_server import FaultyServer
from PIL import Image

from data_reader.errors import InputError
from data_reader.layout import DataLayout
from dataset.download import fetch as fetch_module
from dataset.download import photos as photos_module
from dataset.download.fetch import Client, FetchError
from dataset.download.parallel import in_parallel
from dataset.download.photo_addresses import read_photo_addresses
from dataset.download.photos import GONE, fetch_photos, keep_photo, plan_photos

PLACEHOLDERS = ["photo_unavailable"]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(fetch_module, "FIRST_PAUSE", 0.001)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server(tmp_path):
    """A server; the faults of a path are those in its attribute `plan`."""
    (tmp_path / "served").mkdir()
    with FaultyServer(tmp_path / "served") as server:
        server.plan = {}
        server.faults = lambda path: server.plan.get(path, ("",))
        yield server


@pytest.fixture
def layout(tmp_path):
    return DataLayout(tmp_path / "data")


def save_photo(path, height=60, width=80, shade=None):
    chance = np.random.default_rng(zlib.crc32(path.name.encode()))
    photo = chance.integers(0, 256, (height, width, 3), np.uint8)
    assert cv2.imwrite(str(path), photo if shade is None else np.full_like(photo, shade))


def save_annotations(layout, addresses, split="train"):
    """One story of all photos; an address of None is no entry."""
    path = layout.annotations(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": id_, "url_o": url} for id_, url in addresses.items() if url is not None]
    annotations = [[{"photo_flickr_id": id_, "story_id": "1"}] for id_ in addresses]
    path.write_text(json.dumps({"images": images, "albums": [], "annotations": annotations}))
    return path


def serve_photos(server, layout, ids, **faults):
    """Serve photos named by their ids, and write annotations of them."""
    for id_ in ids:
        save_photo(server.folder / f"{id_}.jpg")
    server.plan = {f"/{id_}.jpg": (fault,) for id_, fault in faults.items()}
    save_annotations(layout, {id_: f"{server.address}/{id_}.jpg" for id_ in ids})


def fetch(layout, retry_failed=False, connections=2):
    photos = plan_photos(layout, "train", retry_failed)
    failures = fetch_photos(photos, Client(), PLACEHOLDERS, connections=connections)
    return {id_: reason for id_, (_, reason) in failures.items()}


def listed(layout):
    with layout.failed_downloads("train").open(newline="") as file:
        return list(csv.reader(file))


def names(layout):
    return sorted(path.name for path in layout.downloaded_photos("train").iterdir())


def test_the_addresses_of_used_photos_are_read(tmp_path):
    path = tmp_path / "annotations.json"
    images = [
        {"id": "1", "url_o": "http://host/1_o.jpg", "url_m": "http://host/1_m.jpg"},
        {"id": "2", "url_m": "http://host/2_m.jpg"},
        {"id": "3"},
        {"id": "4", "url_o": "http://host/4.jpg"},
        {"id": "6", "url_o": "removed", "url_m": "http://host/6_m.jpg"},
        {"id": "7", "url_o": "removed"},
    ]
    used = ("2", "1", "3", "2", "5", "6", "7")
    annotations = [[{"photo_flickr_id": id_, "text": "a"}] for id_ in used]
    contents = {"images": images, "annotations": annotations, "albums": [{"id": "7"}]}
    path.write_text(json.dumps(contents))
    assert read_photo_addresses(path) == {
        "2": "http://host/2_m.jpg",
        "1": "http://host/1_o.jpg",
        "3": "",
        "5": "",
        "6": "http://host/6_m.jpg",
        "7": "removed",
    }


@pytest.mark.parametrize(
    "text", ["", "[]", '{"images": []', '{"images": [], "annotations": [[{}]]}', '{"images": []}']
)
def test_other_files_than_annotations_are_refused(tmp_path, text):
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(InputError, match=r"file.json is not a VIST annotation file"):
        read_photo_addresses(tmp_path / "file.json")


def test_photos_are_kept_and_failures_listed(server, layout):
    ids = ["1", "2", "3", "4", "5", "6", "7"]
    faults = {"2": "missing", "3": "gone", "4": "placeholder", "5": "page", "6": "cut"}
    serve_photos(server, layout, ids, **faults)
    server.plan["/6.jpg"] = ("cut", "redirect")
    (server.folder / "7.jpg").write_bytes((server.folder / "1.jpg").read_bytes()[:2000])
    assert fetch(layout) == {
        "2": "404 Not Found",
        "3": "410 Gone",
        "4": "a placeholder: the photo is gone",
        "5": "a web page instead of a photo",
        "7": "cut short or broken JPEG",
    }
    assert names(layout) == ["1.jpg", "6.jpg"]
    kept = (layout.downloaded_photos("train") / "6.jpg").read_bytes()
    assert kept == (server.folder / "6.jpg").read_bytes()
    assert listed(layout)[:2] == [
        ["id", "address", "reason"],
        ["2", f"{server.address}/2.jpg", "404 Not Found"],
    ]
    assert len(listed(layout)) == 6


def test_the_second_address_is_used_if_there_is_no_photo_at_the_first(server, layout):
    server.plan = {"/gone.jpg": ("missing",), "/lost.jpg": ("placeholder",), "/5.jpg": ("broken",)}
    save_photo(server.folder / "m.jpg")
    firsts = {"1": "gone", "2": "lost", "3": "m", "4": "gone", "5": "5"}
    seconds = {"1": "m", "2": "m", "4": "lost", "5": "m"}
    path = save_annotations(layout, {id_: f"{server.address}/{n}.jpg" for id_, n in firsts.items()})
    contents = json.loads(path.read_text())
    for image in contents["images"]:
        if image["id"] in seconds:
            image["url_m"] = f"{server.address}/{seconds[image['id']]}.jpg"
    path.write_text(json.dumps(contents))
    assert fetch(layout) == {"4": GONE, "5": "temporary: 500 Internal Server Error"}
    assert names(layout) == ["1.jpg", "2.jpg", "3.jpg"]
    assert listed(layout)[1] == ["4", f"{server.address}/gone.jpg", GONE]


def test_only_what_is_missing_is_fetched_again(server, layout):
    serve_photos(server, layout, ["1", "2", "3"], **{"2": "missing", "3": "broken"})
    temporary = "temporary: 500 Internal Server Error"
    assert fetch(layout) == {"2": "404 Not Found", "3": temporary}
    server.plan = {}
    server.asked.clear()
    assert fetch(layout) == {"2": "404 Not Found"}
    assert server.asked == {"/3.jpg": 1}
    assert fetch(layout, retry_failed=True) == {}
    assert server.asked == {"/3.jpg": 1, "/2.jpg": 1}
    assert listed(layout) == [["id", "address", "reason"]]


def test_a_photo_in_any_place_and_format_is_there(server, layout):
    serve_photos(server, layout, ["1", "2"])
    (layout.photos("train") / "part").mkdir()
    save_photo(layout.photos("train") / "part" / "1_o.png")
    assert plan_photos(layout, "train").to_fetch == ["2"]


def test_a_listed_photo_with_another_address_is_fetched(server, layout):
    serve_photos(server, layout, ["1"], **{"1": "missing"})
    fetch(layout)
    assert plan_photos(layout, "train").to_fetch == []
    save_annotations(layout, {"1": f"{server.address}/other.jpg"})
    assert plan_photos(layout, "train").to_fetch == ["1"]


def test_ids_and_addresses_that_are_none_are_listed(server, layout):
    url = server.address
    addresses = {"1": None, "2": "ftp://host/2.jpg", "../3": url, "4.5": url}
    long = "\u00e4" * 150  # of two bytes each
    addresses |= {"\ud800": url, "6": "http://[host", long: url}
    save_annotations(layout, addresses)
    no_address, no_name = (
        "the annotations have no web address for it",
        "its id can't be a file name",
    )
    assert fetch(layout) == {
        "1": no_address,
        "2": no_address,
        "6": no_address,
        "../3": no_name,
        "4.5": no_name,
        "\ud800": no_name,
        long: no_name,
    }
    assert names(layout) == []


def test_a_line_that_a_killed_run_left_incomplete_is_left_out(server, layout):
    serve_photos(server, layout, ["1", "2"], **{"1": "missing", "2": "missing"})
    fetch(layout)
    path = layout.failed_downloads("train")
    path.write_bytes(path.read_bytes()[:-7])
    server.asked.clear()
    assert set(fetch(layout)) == {"1", "2"}
    assert server.asked == {"/2.jpg": 1}


@pytest.mark.parametrize("contents", ["my notes\n", "id,address,reason\n1,a\rb,c\n"])
def test_another_list_is_refused(layout, contents):
    save_annotations(layout, {"1": "http://host/1.jpg"})
    layout.failed_downloads("train").write_text(contents, newline="")
    with pytest.raises(InputError, match="is not a list of id, address, reason; delete it"):
        plan_photos(layout, "train")


def test_the_same_bytes_under_many_ids_are_a_placeholder(server, layout):
    same = [str(number) for number in range(10)]
    serve_photos(server, layout, [*same, "10", "11", "12"])
    for id_ in same:
        save_photo(server.folder / f"{id_}.jpg", shade=9)
    for id_ in ("11", "12"):
        save_photo(server.folder / f"{id_}.jpg", shade=8)
    assert fetch(layout) == dict.fromkeys(same, "a placeholder: the photo is gone")
    assert names(layout) == ["10.jpg", "11.jpg", "12.jpg"]


def test_a_server_that_only_fails_is_given_up(server, layout, monkeypatch):
    monkeypatch.setattr(photos_module, "FAILURES_IN_A_ROW", 3)
    serve_photos(server, layout, list("12345"))
    server.plan = {f"/{id_}.jpg": ("broken",) for id_ in "1234"}
    broken = "temporary: 500 Internal Server Error"
    given_up = "temporary: its server failed 3 times in a row"
    assert fetch(layout, connections=1) == dict.fromkeys("123", broken) | dict.fromkeys(
        "45", given_up
    )


def test_a_run_ends_if_the_connection_is_lost(server, layout, monkeypatch):
    monkeypatch.setattr(photos_module, "FAILURES_IN_A_ROW", 2)
    serve_photos(server, layout, list("123"))
    reached = iter(["", "no connection"])
    monkeypatch.setattr(Client, "why_unreachable", lambda *_: next(reached))
    server.plan = {f"/{id_}.jpg": ("broken",) for id_ in "123"}
    with pytest.raises(InputError, match="No server that has the photos can be reached"):
        fetch(layout, connections=1)
    assert [row[0] for row in listed(layout)] == ["id", "1", "2"]


def unused_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def test_without_a_connection_nothing_is_begun(layout):
    address = unused_address()
    save_annotations(layout, {id_: f"{address}/{id_}.jpg" for id_ in "123"})
    with pytest.raises(
        InputError, match=r"^No server .* \(no connection \(Connection refused\)\);"
    ):
        fetch(layout)
    assert not layout.downloaded_photos("train").exists()


def test_one_dead_server_among_others_is_asked_again_and_its_photos_listed(server, layout):
    serve_photos(server, layout, ["1"])
    addresses = {"1": f"{server.address}/1.jpg", "2": f"{unused_address()}/2.jpg"}
    save_annotations(layout, addresses)
    failed = {"2": "temporary: no connection (Connection refused)"}
    assert fetch(layout) == failed
    assert names(layout) == ["1.jpg"]
    assert fetch(layout) == failed  # though no other server has photos to fetch


def test_leftovers_of_killed_runs_are_removed(server, layout):
    serve_photos(server, layout, ["1", "2"], **{"2": "broken"})
    folder = layout.downloaded_photos("train")
    folder.mkdir()
    for name in (".1.partial", ".1.partial.json", ".1.partial.jpg", ".2.partial", ".9.partial"):
        (folder / name).write_bytes(b"old")
    fetch(layout)
    assert names(layout) == [".2.partial", "1.jpg"]


@pytest.fixture
def fetched(tmp_path):
    return tmp_path / ".1.partial"


def keep(fetched, max_side=640):
    keep_photo(fetched, fetched.with_name("1"), max_side)
    [path] = fetched.parent.glob("1.*")
    return path, cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape


@pytest.mark.parametrize(
    ("size", "max_side", "kept"),
    [
        ((480, 640), 640, (480, 640)),
        ((960, 1280), 640, (480, 640)),
        ((2000, 2000), 640, (640, 640)),
        ((3000, 500), 640, (1536, 256)),
        ((200, 2000), 640, (200, 2000)),
        ((960, 1280), 320, (256, 341)),
        ((960, 1280), 0, (960, 1280)),
    ],
)
def test_a_long_photo_is_shortened(fetched, size, max_side, kept):
    assert cv2.imwrite(f"{fetched}.jpg", np.full((*size, 3), 90, np.uint8))
    fetched.with_name(f"{fetched.name}.jpg").rename(fetched)
    before = fetched.read_bytes()
    path, shape = keep(fetched, max_side)
    assert shape == (*kept, 3)
    assert (path.read_bytes() == before) == (size == kept)
    assert path.suffix == ".jpg"


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WebP", "BMP", "TIFF"])
def test_the_ending_is_that_of_the_content(fetched, kind):
    endings = {"TIFF": ".tif"}
    Image.new("RGB", (80, 60)).save(fetched, kind)
    assert keep(fetched)[0].suffix == endings.get(kind, f".{kind.lower()}")


def test_a_long_png_becomes_a_jpeg(fetched):
    Image.new("RGBA", (1280, 960)).save(fetched, "PNG")
    path, shape = keep(fetched)
    assert (path.suffix, shape) == (".jpg", (480, 640, 3))


def test_a_shorter_copy_is_upright(fetched):
    """The left half is white; the camera was turned, so the upper half of the photo is."""
    photo = Image.new("RGB", (1280, 960))
    photo.paste((255, 255, 255), (0, 0, 640, 960))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    photo.save(fetched, "JPEG", exif=exif)
    path, shape = keep(fetched)
    assert shape == (640, 480, 3)
    upright = cv2.imread(str(path), cv2.IMREAD_IGNORE_ORIENTATION | cv2.IMREAD_COLOR)
    assert upright[:300].min() > 250
    assert upright[340:].max() < 5


@pytest.mark.parametrize(
    "contents", [b"", b"\xef\xbb\xbf <html>", b'{"stat": "fail"}', b"\xff\xd8\xff"]
)
def test_what_is_no_photo_is_not_kept(fetched, contents):
    fetched.write_bytes(contents)
    with pytest.raises(FetchError):
        keep(fetched)
    assert not list(fetched.parent.glob("1.*"))


def test_results_come_from_several_threads():
    assert sorted(in_parallel(lambda number: number**2, range(5), 3)) == [0, 1, 4, 9, 16]
    assert list(in_parallel(str, [], 3)) == []


def test_an_error_ends_the_threads():
    begun = []

    def fail(number):
        begun.append(number)
        time.sleep(0.01)
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        list(in_parallel(fail, range(100), 3))
    assert len(begun) < 10
