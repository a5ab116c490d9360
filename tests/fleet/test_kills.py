"""Processes that share a quota and are killed: nothing is refused, and the others go on."""

import multiprocessing
import random
import threading

from fleet_worker import call_for_ever

from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

WINDOW, LIMIT, WORKERS, KILLS = 4.0, 80, 4, 20


class WatchedHour(FixedHour):
    """An hour that counts, and says when it has admitted a call."""

    def __init__(self):
        super().__init__(LIMIT, window=WINDOW)
        self.admitted, self.refused, self.has_admitted = 0, 0, threading.Event()

    def admit(self, now):
        admitted = super().admit(now)
        self.admitted += admitted
        self.refused += not admitted
        self.has_admitted.set()
        return admitted

    def clone(self):
        return self

    def wait(self):
        """Wait for one more call."""
        self.has_admitted.clear()
        assert self.has_admitted.wait(60)


def test_no_call_of_processes_that_are_killed_is_refused(tmp_path):
    hour, chance = WatchedHour(), random.Random(1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fleet_worker", "fusedesk_async.resources.cases"])
    with serve_in_thread(Sandbox(100, limit=hour, latency=0.005)) as url:
        store, workers = f"sqlite:///{tmp_path}/quota.db", []

        def start():
            worker = context.Process(target=call_for_ever, args=(url, store, WINDOW, LIMIT))
            worker.start()
            return worker

        workers = [start() for _ in range(WORKERS)]
        for _ in range(KILLS):
            hour.wait()
            place = chance.randrange(WORKERS)
            end(workers[place])
            workers[place] = start()
        hour.wait()
        for worker in workers:
            end(worker)
    assert hour.refused == 0
    assert hour.admitted >= KILLS


def end(worker):
    worker.kill()
    worker.join()
    worker.close()
