import math

import pytest
from written_runs import write_run

from data_reader.run_folder import RunFolder
from data_reader.seeds import group_seeds, mean_and_deviation


def run_of(path, seed, name="a", **settings):
    return write_run(path, [1.0], name=name, seed=seed, **settings)


def test_runs_that_differ_in_seed_name_and_notes_only_belong_together(tmp_path):
    default = run_of(tmp_path / "a_1", 1)
    other = run_of(tmp_path / "b_1", 1, name="b_seed-1", epochs=9)
    tenth = run_of(tmp_path / "a_10", 10, name="a_seed-10")
    second = run_of(tmp_path / "a_2", 2, name="a_seed-2_again", notes="on another machine")
    model = run_of(tmp_path / "c", 3, model_settings={"num_layers": 1})
    groups = group_seeds([default, other, tenth, second, model])
    assert list(groups.values()) == [[default, second, tenth], [other], [model]]


@pytest.mark.parametrize(
    ("name", "seed", "expected"),
    [
        ("a_seed-2", 2, "a"),
        ("a_seed-2_epochs-3", 2, "a_epochs-3"),
        ("a_epochs-3_seed-2", 2, "a_epochs-3"),
        ("a_seed-21", 2, "a_seed-21"),
        ("a_seed-1", 2, "a_seed-1"),
        ("seed-2", 2, "seed-2"),
    ],
)
def test_the_name_is_without_the_seed(tmp_path, name, seed, expected):
    assert list(group_seeds([run_of(tmp_path / "a", seed, name=name)])) == [expected]


def test_a_seed_trained_twice_is_no_second_sample(tmp_path):
    before = [run_of(tmp_path / f"a_seed-{seed}_20260101-000000", seed) for seed in (1, 2)]
    after = [run_of(tmp_path / f"a_seed-{seed}_20260102-000000", seed) for seed in (1, 2)]
    by_name = [before[0], after[0], before[1], after[1]]
    expected = {"a_20260101-000000": before, "a_20260102-000000": after}
    assert group_seeds([*before, *after]) == expected
    assert group_seeds(by_name) == expected


def test_names_are_unique_and_a_run_given_twice_counts_once(tmp_path):
    here, there = (run_of(tmp_path / folder / "a", 1) for folder in ("here", "there"))
    again = RunFolder(here.path)
    assert group_seeds([here, again]) == {"a": [here]}
    assert group_seeds([here, there, again]) == {str(here.path): [here], str(there.path): [there]}


def test_the_deviation_is_that_of_a_sample():
    assert mean_and_deviation([1.0, 2.0, 6.0]) == (3.0, pytest.approx(math.sqrt(7)))
    assert all(map(math.isnan, mean_and_deviation([math.nan, math.nan])))
    mean, deviation = mean_and_deviation([5.0])
    assert mean == 5.0
    assert math.isnan(deviation)
