"""The table of addresses, its typos and overrides."""

import pytest

from data_reader.errors import InputError
from dataset.download.addresses import NAMES, TABLE, read_table


def test_the_table_is_whole():
    addresses, photos = read_table()
    assert tuple(addresses) == NAMES
    assert addresses["sis"].url.endswith("/SIS-with-labels.tar.gz")
    assert addresses["sis"].headers["User-Agent"].startswith("Mozilla")
    assert addresses["glove"].unpacked > addresses["glove"].size > addresses["alexnet"].size
    assert photos.placeholders == ["photo_unavailable"]


def test_an_address_can_be_overridden():
    addresses, _ = read_table(overrides=["sis=http://host/a=b.tar.gz", "arel=https://host/c.zip"])
    assert addresses["sis"].url == "http://host/a=b.tar.gz"
    assert addresses["arel"].url == "https://host/c.zip"
    assert addresses["dii"].url.startswith("https://visionandlanguage.net/")


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("photos=http://host/", "there is no address 'photos'; sis, dii, alexnet, glove, arel are"),
        ("sis", "'' is no address of the form http(s)://..."),
        ("sis=ftp://host/", "'ftp://host/' is no address"),
        ("sis=http:///path", "'http:///path' is no address"),
        ("sis=http://[host/", "is no address"),
    ],
)
def test_a_wrong_override_is_refused(override, reason):
    with pytest.raises(InputError) as refused:
        read_table(overrides=[override])
    assert str(refused.value).startswith(f"--address {override}: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("right", "typo", "reason"),
    [
        ("[addresses.sis]", "[addresses.sis", " is not TOML: "),
        ("[addresses.sis]", "[addresses.sid]", ": the key addresses.sis is missing."),
        ("[addresses.glove]", "[addresses.new]\n[addresses.glove]", ": unknown key addresses.new;"),
        ("unpacked = 1", "unpackd = 1", ": unknown key addresses.glove.unpackd; known: url, size"),
        ("size = 822_000_000", "", ": the key addresses.glove.size is missing."),
        (
            "size = 244_000_000",
            "size = 24.0",
            ": addresses.alexnet.size is 24.0, expected a whole number.",
        ),
        ('"https://nlp', '"nlp', ": addresses.glove.url is 'nlp.stanford.edu/data/glove.6B.zip'"),
        ("headers = {", "headers = { A = 1,", ": addresses.sis.headers.A is 1, expected a text."),
        (
            '"Mozilla/5.0 (',
            '"\\nMozilla/5.0 (',
            ": addresses.sis.headers has 'User-Agent' = '\\nMozilla",
        ),
        ("User-Agent =", '"User Agent" =', ": addresses.sis.headers has 'User Agent' = 'Mozilla"),
        (
            "size = 244_000_000",
            "size = -5",
            ": addresses.alexnet.size is -5, expected a number abo",
        ),
        ("train = 167_530", "train = 0", ": photos.numbers.train is 0, expected a number above 0."),
        (
            '["photo_unavailable"]',
            "[3]",
            ": photos.placeholders has 3, expected parts of addresses.",
        ),
        ('["photo_unavailable"]', '[""]', ": photos.placeholders has '', expected parts of addres"),
        ("placeholders =", "placeholder =", ": the key photos.placeholders is missing."),
        ("valid = 21_048", 'valid = "all"', ": photos.numbers.valid is 'all', expected a whole"),
    ],
)
def test_a_typo_is_named_with_the_file(tmp_path, right, typo, reason):
    text = TABLE.read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "addresses.toml"
    path.write_text(text.replace(right, typo), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_table(path)
    assert str(refused.value).startswith(f"{path}{reason}")


def test_a_table_that_was_deleted_is_named(tmp_path):
    with pytest.raises(InputError, match=r"addresses\.toml is missing; it is a part of this pro"):
        read_table(tmp_path / "addresses.toml")
