"""A function on many items in threads."""

import queue
import threading
import time

_PATIENCE = 5  # seconds that threads get for their current items at the end


def in_parallel(function, items, threads):
    """Yield the function's results as they come.

    An exception of the function is raised here; it, and closing the generator, end the threads
    after their current items; those that take longer than a few seconds go on alone, and do not
    keep the process from ending.
    """
    todo, done = queue.SimpleQueue(), queue.SimpleQueue()
    for item in items:
        todo.put(item)
    workers = [
        threading.Thread(target=_work, args=(function, todo, done), daemon=True)
        for _ in range(min(threads, len(items)))
    ]
    for worker in workers:
        worker.start()
    try:
        for _ in items:
            result, error = done.get()
            if error:
                raise error
            yield result
    finally:
        _empty(todo)
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.join(max(deadline - time.monotonic(), 0))


def _work(function, todo, done):
    try:
        while True:
            item = todo.get_nowait()
            try:
                done.put((function(item), None))
            except Exception as error:
                done.put((None, error))
    except queue.Empty:
        pass


def _empty(todo):
    try:
        while True:
            todo.get_nowait()
    except queue.Empty:
        pass
