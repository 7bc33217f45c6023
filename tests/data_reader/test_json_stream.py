import json

import pytest

from data_reader import json_stream
from data_reader.errors import InputError
from data_reader.json_stream import read_members

CONTENTS = {
    "info": {"year": 2016, "dé\U0001f600": [None, True]},
    "share": -12.5e-3,
    "none": [],
    "annotations": [[{"text": 'a [bracket], "quoted" \\'}], "b" * 40, 17, {}],
    "end": 1,
}


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_every_piece_gives_the_contents(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(json_stream, "_PIECE", piece)
    for indent in (None, 2):
        text = json.dumps(CONTENTS, ensure_ascii=False, indent=indent)
        (tmp_path / "a.json").write_text(f"\ufeff {text}\n")
        members = {
            name: value if isinstance(value, dict | int | float) else list(value)
            for name, value in read_members(tmp_path / "a.json")
        }
        assert members == CONTENTS
        assert [name for name, _ in read_members(tmp_path / "a.json")] == list(CONTENTS)


@pytest.mark.parametrize("piece", [1, 1000])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": [1, 2', r"expected , or \], character 11"),
        ('{"a": [1 2]}', r"expected , or \], character 9"),
        ('{"a": [1, ]}', "Expecting value, character 10"),
        ('{"a": 1} 2', "extra data, character 9"),
        ('{"a" 1}', "expected :, character 5"),
        ("{1: 1}", "a name is no text"),
        ('{"a": 1, "a": 2}', "it has the name 'a' twice"),
        ('{"a": [{"b": 1, "b": 2}]}', "it has the name 'b' twice"),
        ('{"a": "open', "Unterminated string"),
        ('{"a": ' + "[" * 10**5, "recursion"),
        (b'{"a": "\xff"}', "codec can't decode"),
        ("<html>", "Expecting value, character 0"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(tmp_path, monkeypatch, piece, text, reason):
    monkeypatch.setattr(json_stream, "_PIECE", piece)
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=rf"a\.json is cut short or not JSON \(.*{reason}"):
        for _, value in read_members(path):
            list(value) if hasattr(value, "__next__") else value


@pytest.mark.parametrize("text", ["[1, 2]", "5", '"annotations"'])
def test_other_json_than_a_dictionary_has_no_members(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert list(read_members(tmp_path / "a.json")) == []
