"""What a sweep has yet to measure: what starts next, and what becomes of it when workers die."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

import numpy as np

from meanfield.sweeps.tasks import Batch
from meanfield.sweeps.worker import Finished, Task

TRIES = 3  # of a task that runs alone and whose workers die


class Backlog:
    """The batches that wait, and the tasks that no result has come of yet.

    Batches beyond a worker's share of the memory run alone, after all others. So does what a batch
    whose worker died had left to do: in company there is no telling whose fault that was. A task
    that was the next one TRIES times when a worker died all the same is given up: it may want more
    memory than there is, say.
    """

    def __init__(self, batches: Sequence[Batch], share: float):
        """All of `batches`; `share` is what a worker has to itself, in bytes."""
        self._share = share
        self._waiting = deque(sorted(batches, key=self._is_alone))
        self._open = {task.key for batch in batches for task in batch.tasks}
        self._deaths: Counter = Counter()

    def __bool__(self) -> bool:
        """Whether any batch waits."""
        return bool(self._waiting)

    def _is_alone(self, batch: Batch) -> bool:
        return batch.memory > self._share

    def start(self, running: int, together: int) -> Batch | None:
        """The next batch, if one waits that may start while so many others run.

        Args:
            running: How many do.
            together: How many may at a time, unless they run alone.
        """
        if not self._waiting:
            return None
        room = 1 if self._is_alone(self._waiting[0]) else together
        return self._waiting.popleft() if running < room else None

    def close(self, results: Iterable[Finished]) -> list[Finished]:
        """Those that are the first of their task, which is through now.

        Others come of a task that was measured twice: its worker died after telling of it.
        """
        first = []
        for result in results:
            if result.key in self._open:
                self._open.remove(result.key)
                first.append(result)
        return first

    def take_back(self, batch: Batch, error: BaseException) -> list[Finished]:
        """Takes back what is left of a batch whose worker died of `error`.

        Returns:
            The failure of what is given up of it, if anything is.
        """
        left = [task for task in batch.tasks if task.key in self._open]
        given_up = []
        if left and self._is_alone(batch) and self._blame(left[0]):
            given_up = self.close([_failed(left.pop(0), error)])
        if left:
            self._waiting.append(Batch(tuple(left), np.inf))
        return given_up

    def _blame(self, task: Task) -> bool:
        """Counts a worker's death against the task; true if that was the last of its tries."""
        self._deaths[task.key] += 1
        return self._deaths[task.key] == TRIES


def _failed(task: Task, error: BaseException) -> Finished:
    return Finished(task.key, dict.fromkeys(task.draws, repr(error)))
