"""Archives that hold what they should, and others."""

import io
import tarfile
import zipfile

import pytest

from data_reader.errors import InputError
from dataset.download.unpack import unpack

LARGEST = 100_000
CONTENTS = {"sis/train.json": b"[1]", "sis/val.json": b"[2]", "sis/other.txt": b"?"}


@pytest.fixture
def targets(tmp_path):
    (tmp_path / "out").mkdir()
    return [tmp_path / "out" / name for name in ("train.json", "val.json")]


def tar(path, contents, *members):
    """Write a .tar.gz with these files, and members (`TarInfo`) without contents."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return path


def zipped(path, contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


WRITERS = [tar, zipped]


def refusal(archive, targets, largest=LARGEST):
    """Why an archive is not unpacked; nothing is left of it."""
    with pytest.raises(InputError) as refused:
        unpack(archive, targets, largest)
    assert list(targets[0].parent.iterdir()) == []
    assert [path.name for path in archive.parent.iterdir() if path != archive] == ["out"]
    return str(refused.value)


@pytest.mark.parametrize("write", WRITERS)
def test_only_the_wanted_files_are_unpacked(tmp_path, targets, write):
    unpack(write(tmp_path / "archive", CONTENTS), targets, LARGEST)
    assert [target.read_bytes() for target in targets] == [b"[1]", b"[2]"]
    assert sorted((tmp_path / "out").iterdir()) == targets


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["../train.json", "sis/../../train.json", "/train.json"])
def test_a_path_outside_is_refused(tmp_path, targets, write, name):
    archive = write(tmp_path / "archive", CONTENTS | {name: b"evil"})
    assert refusal(archive, targets) == f"the archive holds a path outside itself, {name!r}"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_device_is_refused(tmp_path, targets, kind):
    member = tarfile.TarInfo("sis/train.json")
    member.type, member.linkname = kind, "sis/other.txt"
    archive = tar(tmp_path / "archive", CONTENTS, member)
    assert "a link, a device or a file with holes, 'sis/train.json'" in refusal(archive, targets)


def test_a_file_of_holes_is_refused(tmp_path, targets):
    """It takes no space in the archive, so that no bound on what is unpacked would notice it."""
    member = tarfile.TarInfo("sis/train.json")
    member.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": f"{10 * LARGEST}"}
    archive = tar(tmp_path / "archive", {}, member)
    assert "a file with holes, 'sis/train.json'" in refusal(archive, targets)


def test_a_link_in_a_zip_is_refused(tmp_path, targets):
    link = zipfile.ZipInfo("sis/train.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "a link or device" in refusal(tmp_path / "archive", targets)


@pytest.mark.parametrize("write", WRITERS)
def test_a_bomb_is_refused(tmp_path, targets, write):
    archive = write(tmp_path / "archive", CONTENTS | {"sis/bomb": bytes(10 * LARGEST)})
    assert archive.stat().st_size < 3000
    assert refusal(archive, targets) == "unpacked, the archive has more than 100,000 bytes"


def test_a_zip_that_lies_about_a_size_gives_no_more(tmp_path, targets):
    archive = zipped(tmp_path / "archive", {"train.json": bytes(10 * LARGEST), "val.json": b""})
    honest, lie = (number.to_bytes(4, "little") for number in (10 * LARGEST, 7))
    archive.write_bytes(archive.read_bytes().replace(honest, lie))
    assert "the archive is broken" in refusal(archive, targets)


@pytest.mark.parametrize("write", WRITERS)
def test_an_archive_that_lacks_a_file_says_what_it_holds(tmp_path, targets, write):
    archive = write(tmp_path / "archive", {"sis/train.json": b"", "readme": b""})
    lacking = "the archive lacks val.json; it holds sis/train.json, readme"
    assert refusal(archive, targets) == lacking


@pytest.mark.parametrize("write", WRITERS)
def test_a_broken_archive_is_refused(tmp_path, targets, write):
    archive = write(tmp_path / "archive", CONTENTS)
    whole = archive.read_bytes()
    for broken in (whole[:-20], whole[:44] + b"!!!" + whole[47:]):
        archive.write_bytes(broken)
        assert refusal(archive, targets)


def test_a_changed_bit_at_the_end_of_a_tar_is_found(tmp_path, targets):
    archive = tar(tmp_path / "archive", CONTENTS)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
    assert "CRC" in refusal(archive, targets)


def test_another_file_is_refused(tmp_path, targets):
    (tmp_path / "archive").write_bytes(b"<!DOCTYPE html>")
    assert "not an archive: it begins with b'<!DOCTYPE" in refusal(tmp_path / "archive", targets)


def test_unusual_zips_are_refused(tmp_path, targets):
    with zipfile.ZipFile(tmp_path / "archive", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("train.json", b"[1]")
    assert "packed unusually" in refusal(tmp_path / "archive", targets)


@pytest.mark.parametrize(
    ("record", "place", "byte"),
    [(b"PK\1\2", 6, 255), (b"PK\1\2", 8, 32), (b"PK\5\6", 18, 1)],
    ids=["of a later version", "a patch", "before the file"],
)
def test_a_zip_whose_directory_is_broken_is_refused(tmp_path, targets, record, place, byte):
    archive = zipped(tmp_path / "archive", {"train.json": b"[1]", "val.json": b"[2]"})
    contents = bytearray(archive.read_bytes())
    contents[contents.index(record) + place] = byte
    archive.write_bytes(contents)
    assert "the archive is broken" in refusal(archive, targets)
