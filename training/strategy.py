"""One device per worker, and one state of the model on all of them."""

import os
from contextlib import contextmanager
from dataclasses import asdict

import tensorflow as tf

from training.checkpoint import Progress, random_states, training_variables


def make_strategy(workers):
    """The `tf.distribute` strategy of the workers; that of one is Keras's own.

    With several it must be made before TensorFlow computes anything.  They communicate by NCCL on
    GPUs, each with one of its host's, and by RING on CPUs.
    """
    if workers.count == 1:
        return tf.distribute.get_strategy()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.set_visible_devices(gpus[workers.cluster.local_index % len(gpus)], "GPU")
    workers.stop_listening()
    os.environ["TF_CONFIG"] = workers.cluster.tf_config()
    kinds = tf.distribute.experimental.CommunicationImplementation
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=kinds.NCCL if gpus else kinds.RING
    )
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


@contextmanager
def lost_workers_named(workers):
    """Explain TensorFlow's errors when another worker is gone.

    Raises:
        WorkerLostError: it names the worker.
        InputError: that worker has refused its input.
    """
    try:
        yield
    except tf.errors.OpError as error:
        workers.raise_if_lost(error)
        raise


def sum_of_workers(tensors, sent_as=None):
    """Inside `strategy.run`: tensors -> their sums over all workers, of the same types.

    Args:
        sent_as: the type in which they are sent, if not their own.
    """
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return tensors
    # Backpropagation reaches the last layers first; they are sent while it goes on.
    sent = [tf.cast(t, sent_as or t.dtype) for t in reversed(tensors)]
    # An argument of a function has no device yet; its identity lies on the worker's.
    sums = [replica.all_reduce("sum", tf.identity(t)) for t in sent]
    return [tf.cast(s, t.dtype) for s, t in zip(reversed(sums), tensors, strict=True)]


def share_state(model, progress, workers, strategy):
    """Give all workers the chief's variables and `Progress` -> the latter.

    Only the dropout of each worker differs, by its index.
    """
    if workers.count == 1:
        return progress
    progress = Progress(**workers.exchange(asdict(progress))[0])

    @tf.function(autograph=False)
    def of_the_chief(values):
        return strategy.run(sum_of_workers, (values,))

    variables = list(training_variables(model).values())
    values = [tf.convert_to_tensor(variable) for variable in variables]
    if not workers.is_chief:
        values = [tf.zeros_like(value) for value in values]
    for variable, value in zip(variables, of_the_chief(values), strict=True):
        variable.assign(value)
    draw_apart(model, workers.index)
    return progress


def draw_apart(model, index):
    """Have the worker of this index draw its own dropout; the chief draws as one alone does."""
    for state in random_states(model):
        seed, counter = state.numpy()
        state.assign([(int(seed) + 1_000_003 * index) % 2**31, counter])
