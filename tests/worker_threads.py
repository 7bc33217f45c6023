"""Workers in threads of one process, for what they tell each other."""

from concurrent.futures import ThreadPoolExecutor

from training.cluster import Cluster
from training.launch import free_ports
from training.workers import meet


def free_addresses(count):
    return tuple(f"127.0.0.1:{port}" for port in free_ports(count))


def run_all(clusters, work):
    """What `work`, a function of `Workers`, returns or raises for each of the clusters."""

    def run(cluster):
        try:
            with meet(cluster) as workers:
                return work(workers)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(clusters)) as threads:
        return list(threads.map(run, clusters))


def clusters_of(addresses):
    return [Cluster(addresses, index) for index in range(len(addresses))]
