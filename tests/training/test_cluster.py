"""Who trains with whom, read from made-up environments."""

import json

import pytest

from training.cluster import Cluster, expand_counts, expand_nodelist, find_cluster


def tf_config(workers, index, **others):
    task = {"type": "worker", "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": workers, **others}, "task": task})}


def test_a_process_alone_has_no_cluster():
    assert find_cluster({}) is None
    assert find_cluster({"TF_CONFIG": " "}) is None
    assert find_cluster(tf_config(["a:1"], 0)) is None
    assert find_cluster({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}) is None
    # Inside a batch script, without srun, there is one process however many tasks the job has.
    assert find_cluster({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}) is None


def test_workers_are_read_from_tf_config():
    assert find_cluster(tf_config(["a:1", "b:2"], 1)) == Cluster(("a:1", "b:2"), 1)
    assert find_cluster(tf_config(["b:2"], 0, chief=["a:1"])) == Cluster(("a:1", "b:2"), 1)
    assert json.loads(Cluster(("a:1", "b:2"), 1).tf_config()) == {
        "cluster": {"worker": ["a:1", "b:2"]},
        "task": {"type": "worker", "index": 1},
    }


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TF_CONFIG": "{'cluster'"}, r"TF_CONFIG is no JSON .* \"\{'cluster'\""),
        ({"TF_CONFIG": "[1]"}, r"TF_CONFIG is '\[1\]'; write it like"),
        ({"TF_CONFIG": '{"cluster": {}, "task": {}}'}, "write it like"),
        (tf_config(["a:1", "b:2"], 2), "worker of index 2, but its cluster has 2 workers: a:1, b"),
        (tf_config(["a:1", "b:2"], "1"), "write it like"),
        (tf_config(["a:1", "b:2"], 1.0), "write it like"),
        (tf_config(["a:1", "b"], 0), "the worker 'b'; write it as 'host:port'"),
        (tf_config(["a:1", 2], 0), "the worker 2; write it as 'host:port'"),
        (tf_config(["a:1", "b:99999"], 0), "the worker 'b:99999'"),
        (tf_config(["a:1", "a:1"], 0), "has a:1 twice"),
        (tf_config(["a:1"], 0, ps=["c:1"]), "tasks of the type 'ps'"),
    ],
)
def test_a_malformed_tf_config_is_explained(environment, message):
    with pytest.raises(ValueError, match=message):
        find_cluster(environment)


def slurm(task, node=None):
    environment = {
        "SLURM_JOB_ID": "7",
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "gpu[08-09]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
        "SLURM_PROCID": str(task),
    }
    return environment | ({"SLURMD_NODENAME": node} if node else {})


def test_workers_are_placed_node_by_node_as_slurm_does():
    # Each job has 16 ports of its own.
    addresses = ("gpu08:10112", "gpu08:10113", "gpu09:10112")
    assert find_cluster(slurm(2, "gpu09")) == Cluster(addresses, 2)
    assert [find_cluster(slurm(task)).local_index for task in range(3)] == [0, 1, 0]


def test_tasks_that_slurm_has_placed_otherwise_are_refused():
    with pytest.raises(ValueError, match=r"runs task 1 on gpu09, expected gpu08; .*=block"):
        find_cluster(slurm(1, "gpu09"))


def test_tf_config_comes_before_slurm():
    assert find_cluster(slurm(0) | tf_config(["a:1", "b:2"], 1)).addresses == ("a:1", "b:2")


def test_slurm_s_lists_are_written_out():
    assert expand_nodelist("login") == ["login"]
    assert expand_nodelist("gpu[01-03,7],a,r[1-2]n[8-9]x") == [
        *("gpu01", "gpu02", "gpu03", "gpu7", "a"),
        *("r1n8x", "r1n9x", "r2n8x", "r2n9x"),
    ]
    assert expand_nodelist("n[098-101]") == ["n098", "n099", "n100", "n101"]
    assert expand_counts("2(x3),1") == [2, 2, 2, 1]
