"""Shared models that are as they were shared, and others; nothing here needs TensorFlow."""

import zipfile

import pytest
from tiny_model import write_untrained
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.run_folder import RunFolder
from data_reader.shared_model import CHECKSUMS, open_model, write_checksums


def write_shared(folder, **settings):
    """A shared model without a card."""
    written = write_run(folder, [], **{"data": None, **settings})
    written.loss_log.unlink()
    write_untrained(written)
    write_checksums(folder)
    return folder


@pytest.fixture
def shared(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return write_shared(tmp_path / "shared")


def zipped(folder, names=lambda name: name, others=()):
    """Zip a folder's files under other names, and other files besides."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, names(file.name))
        for name in others:
            archive.writestr(name, "evil")
    return path


def refusal(path, trust=()):
    with pytest.raises(InputError) as refused, open_model(path, trust):
        pass
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def test_a_run_folder_is_opened_as_ever(tmp_path):
    run = write_untrained(write_run(tmp_path / "run", [1.0], model="mine:Model"))
    with open_model(run.path) as opened:
        assert opened == RunFolder(run.path)
    with pytest.raises(FileNotFoundError, match="nowhere is missing"), open_model("nowhere"):
        pass


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])
def test_a_shared_model_is_read_where_it_is_and_written_to_elsewhere(shared, pack):
    path = pack(shared)
    before = sorted(path.parent.rglob("*"))
    with open_model(path) as run:
        assert run.name == "shared"
        assert len(run.vocabulary()) == 7
        assert str(run.strips) == "shared_stories/strips"
        with pytest.raises(InputError, match=r"shared is a shared model, .* with --data\.$"):
            run.layout()
        assert run.layout("dataset").root.name == "dataset"
        with open_model(path) as again:  # an interrupted generation finds the same model
            assert again.model_file.stat().st_mtime_ns == run.model_file.stat().st_mtime_ns
    assert run.model_file.exists() == path.is_dir()
    assert sorted(path.parent.rglob("*")) == before


def test_a_zip_may_hold_its_files_in_a_folder(shared):
    with open_model(zipped(shared, lambda name: f"any/{name}")) as run:
        assert run.settings()["name"] == "shared"


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped], ids=["folder", "zip"])
@pytest.mark.parametrize("name", ["model.keras", "vocabulary.json"])
def test_a_changed_file_is_named(shared, pack, name):
    with (shared / name).open("ab") as file:
        file.write(b" ")
    assert f": {name} is not as it was shared: its checksum is not" in refusal(pack(shared))


def test_missing_files_are_named(shared):
    (shared / "features.json").unlink()
    assert refusal(shared).startswith(" lacks features.json, which SHA256SUMS lists;")
    write_checksums(shared)
    assert refusal(shared).startswith(": SHA256SUMS does not list features.json;")
    (shared / CHECKSUMS).unlink()
    for path in (shared, zipped(shared)):
        assert ", or is cut short: it lacks SHA256SUMS and holds experiment.json, " in refusal(path)


@pytest.mark.parametrize("line", ["0", f"{'0' * 64}  ../evil", f"{'0' * 64}  /evil", f"{'g' * 64}"])
def test_checksums_of_another_form_are_refused(shared, line):
    with (shared / CHECKSUMS).open("a") as file:
        file.write(f"{line}\n")
    assert refusal(shared).startswith(": line 5 of SHA256SUMS is not a checksum and the name")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil", " is no shared model: the archive holds a path outside itself, '../evil'."),
        ("/evil", " is no shared model: the archive holds a path outside itself, '/evil'."),
        ("evil.py", " holds 'evil.py', which SHA256SUMS does not list."),
        ("a/evil.py", " is no shared model: it holds 'a/evil.py', a second file of that name or"),
        ("./model.keras", " is no shared model: it holds './model.keras', a second file of that"),
    ],
)
def test_a_zip_with_anything_else_is_refused(shared, name, message):
    assert refusal(zipped(shared, others=[name])).startswith(message)


def test_a_zip_with_a_link_is_refused(shared):
    path = zipped(shared)
    link = zipfile.ZipInfo("README.md")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "the archive holds a link or device, 'README.md'" in refusal(path)


def test_a_broken_zip_a_bomb_and_another_file_are_refused(shared):
    path = zipped(shared)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10**6))
    assert "unpacked, the archive has more than" in refusal(path)
    path.write_bytes(path.read_bytes()[:-30])  # what is left ends with the zip that the model is
    assert ", or is cut short: it lacks SHA256SUMS and holds config.json, " in refusal(path)
    path.write_text("a page")
    assert " is no zip, or a broken one (File is not a zip file);" in refusal(path)


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"model": "mine.own:Model"}, "mine.own:Model"),
        ({"config": {"cell_type": "mine.own:Cell"}}, "mine.own:Cell"),
    ],
)
def test_code_of_others_needs_trust(tmp_path, settings, needed):
    shared = write_shared(tmp_path / "shared", **settings)
    message = refusal(shared, trust=["mine"])
    assert message.startswith(f" needs {needed}, which is not a part of it")
    assert message.endswith("give --trust mine.own, or in Python load(..., trust=['mine.own']).")
    with open_model(shared, trust=["mine.own"]) as run:
        assert run.model_folder == shared
