"""Which processes train together: read from TF_CONFIG or from Slurm's variables."""

import json
import operator
import os
import re
from dataclasses import dataclass
from itertools import product

from data_reader.errors import InputError

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:23450", "host2:23450"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
# Below Linux's ephemeral ports; jobs that follow each other on a node use others.
_FIRST_PORT, _PORTS, _PORTS_OF_A_JOB = 10_000, 22_000, 16


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, and which of them this process is.

    Attributes:
        addresses: "host:port" of each worker; the first one is the chief.
        index: of this process.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def local_index(self):
        """The number of workers before this one on its host."""
        hosts = [address.rpartition(":")[0] for address in self.addresses]
        return hosts[: self.index].count(hosts[self.index])

    def tf_config(self):
        """The value of TF_CONFIG for this worker."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": self.addresses}, "task": task})


def find_cluster(environment=os.environ):
    """The `Cluster` that this process belongs to; None if it trains alone.

    TF_CONFIG comes before Slurm's variables.

    Raises:
        InputError: TF_CONFIG is malformed, or the tasks of a Slurm step can't be placed.
    """
    if environment.get("TF_CONFIG", "").strip():
        cluster = _from_tf_config(environment["TF_CONFIG"])
    elif int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        cluster = _from_slurm(environment)
    else:
        return None
    return cluster if len(cluster.addresses) > 1 else None


def _from_tf_config(text):
    try:
        config = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"TF_CONFIG is no JSON ({error}): {text!r:.80}; write {_EXAMPLE}"
        ) from None
    try:
        jobs, task = config["cluster"], config["task"]
        # TensorFlow's name for a first worker that is listed apart.
        addresses = [*jobs.get("chief", []), *jobs["worker"]]
        first = len(jobs.get("chief", [])) if task["type"] == "worker" else 0
        index = first + operator.index(task["index"])
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"TF_CONFIG is {text!r:.200}; write it like {_EXAMPLE}") from None
    if others := (set(jobs) | {task["type"]}) - {"chief", "worker"}:
        raise InputError(
            f"TF_CONFIG names tasks of the type {min(others)!r}; this project trains with workers "
            f"only: {_EXAMPLE}"
        )
    _check_addresses(addresses)
    if not 0 <= index < len(addresses):
        raise InputError(
            f"TF_CONFIG says that this is the {task['type']} of index {task['index']}, but its "
            f"cluster has {len(addresses)} workers: {', '.join(addresses)}; indices count from 0."
        )
    return Cluster(tuple(addresses), index)


def _check_addresses(addresses):
    for address in addresses:
        port = address.rpartition(":")[2] if isinstance(address, str) else ""
        if not re.fullmatch(r".+:\d+", str(address)) or not 0 < int(port) < 65_536:
            raise InputError(f"TF_CONFIG has the worker {address!r}; write it as 'host:port'.")
        if addresses.count(address) > 1:
            raise InputError(
                f"TF_CONFIG has {address} twice; each worker needs an address of its own."
            )


def _from_slurm(environment):
    """A port for each task, and the tasks node by node, as `srun` places them by default."""
    nodes = expand_nodelist(environment["SLURM_STEP_NODELIST"])
    counts = expand_counts(environment["SLURM_STEP_TASKS_PER_NODE"])
    first = _FIRST_PORT + int(environment["SLURM_JOB_ID"]) * _PORTS_OF_A_JOB % _PORTS
    placed = list(zip(nodes, counts, strict=True))
    addresses = [f"{node}:{first + task}" for node, count in placed for task in range(count)]
    index = int(environment["SLURM_PROCID"])
    expected, found = addresses[index].rpartition(":")[0], environment.get("SLURMD_NODENAME")
    if found not in (None, expected):
        raise InputError(
            f"Slurm runs task {index} on {found}, expected {expected}; start the tasks node by "
            "node, with: srun --distribution=block"
        )
    return Cluster(tuple(addresses), index)


def expand_nodelist(text):
    """ "gpu[01-02,7],login" -> ["gpu01", "gpu02", "gpu7", "login"]."""
    return [
        "".join(parts)
        for name in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text)
        for parts in product(*map(_alternatives, re.findall(r"\[[^\]]*\]|[^\[]+", name)))
    ]


def _alternatives(part):
    """ "[01-02,7]" -> ["01", "02", "7"]; "gpu" -> ["gpu"]."""
    if not part.startswith("["):
        return [part]
    found = []
    for numbers in part[1:-1].split(","):
        first, _, last = numbers.partition("-")
        span = range(int(first), int(last or first) + 1)
        found += [f"{number:0{len(first)}}" for number in span]
    return found


def expand_counts(text):
    """ "2(x3),1" -> [2, 2, 2, 1]."""
    found = []
    for part in text.split(","):
        count, _, times = part.partition("(x")
        found += [int(count)] * int(times.rstrip(")") or 1)
    return found
