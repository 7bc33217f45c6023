import json
import subprocess
import sys

import pytest

from data_reader.errors import InputError
from training import workers_benchmark
from training.workers_benchmark import as_table

TINY = """
from training import workers_benchmark as benchmark
benchmark.MODEL, benchmark.SENT_IN = "EncoderDecoder", ("bfloat16",)
benchmark.ROUNDS, benchmark.LOSS_STEPS = 1, 2
benchmark.SIZES = benchmark.LOSS_SIZES = benchmark.Sizes(
    vocabulary_size=9, feature_size=4, word_embedding_size=3, units=2
)
benchmark.main()
"""


def test_two_workers_are_measured_beside_one():
    """Two processes; of three stories the first one trains on one, the second on two."""
    command = [sys.executable, "-c", TINY, "--stories", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    measured = json.loads(done.stdout)
    one, summed, unsummed = measured["rows"]
    assert [row["workers"] for row in measured["rows"]] == [1, 2, 2]
    assert [row["sent_in"] for row in measured["rows"]] == ["one worker", "bfloat16", "no sum"]
    words = [row["words_per_second"] * row["seconds_per_step"] for row in measured["rows"]]
    assert words == pytest.approx([words[0]] * 3)
    assert one["ratio_to_one"] == 1 and one["sum_share"] is None
    ratio = one["seconds_per_step"] / summed["seconds_per_step"]
    assert summed["ratio_to_one"] == pytest.approx(ratio)
    without = unsummed["seconds_per_step"] / summed["seconds_per_step"]
    assert summed["sum_share"] == pytest.approx(1 - without)
    assert 1 < measured["losses"]["bfloat16"] < 3  # ln 9 = 2.2


def test_the_table():
    row = {
        "stories": 13,
        "workers": 2,
        "sent_in": "bfloat16",
        "seconds_per_step": 2.0,
        "words_per_second": 391.4,
        "ratio_to_one": 1.7,
        "sum_share": 0.25,
    }
    measured = {
        "device_name": "a quick one",
        "weights": 2_500_000,
        "rows": [row, row | {"sent_in": "no sum", "sum_share": None}],
        "losses": {"float32": 1.25, "bfloat16": 1.5},
    }
    lines = as_table(measured).splitlines()
    assert lines[0].startswith("a quick one, one core per worker")
    assert "2,500,000 trained weights, 10 MB" in lines[1]
    assert lines[4].split() == ["13", "2", "bfloat16", "2.00", "391", "1.70", "25%"]
    assert lines[5].split() == ["13", "2", "no", "sum", "2.00", "391", "1.70"]
    assert lines[-1].endswith("float32 1.25000, bfloat16 1.50000")


def test_more_workers_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "--workers", "9999"])
    with pytest.raises(InputError, match="--workers is 9999; this process may use"):
        workers_benchmark.main()
