"""Which batches start when, and what becomes of tasks whose workers die."""

import pytest

from meanfield.sweeps.backlog import TRIES, Backlog
from meanfield.sweeps.tasks import Batch
from meanfield.sweeps.worker import Finished, Task

SHARE, TOGETHER = 10.0, 4
DEATH = RuntimeError("the worker died")


def batch(*names, memory=1.0):
    tasks = (Task((name,), (0, 1), {}, 5, 0, "auto", "float32", True, 2**30) for name in names)
    return Batch(tuple(tasks), memory)


def results(of):
    return [Finished(task.key, {}) for task in of.tasks]


def names(batch_or_results):
    tasks = getattr(batch_or_results, "tasks", batch_or_results)
    return [task.key[0][0] for task in tasks]


def test_batches_start_together_up_to_a_number():
    backlog = Backlog([batch(i) for i in range(6)], SHARE)
    started = [backlog.start(running, TOGETHER) for running in range(TOGETHER)]
    assert [names(b) for b in started] == [[0], [1], [2], [3]]
    assert backlog.start(TOGETHER, TOGETHER) is None
    assert backlog
    assert names(backlog.start(TOGETHER - 1, TOGETHER)) == [4]
    assert names(backlog.start(0, TOGETHER)) == [5]
    assert backlog.start(0, TOGETHER) is None
    assert not backlog


def test_batches_beyond_a_share_run_alone_at_the_end():
    backlog = Backlog([batch("large", memory=11.0), batch("small"), batch("as large")], SHARE)
    assert names(backlog.start(0, TOGETHER)) == ["small"]
    assert names(backlog.start(1, TOGETHER)) == ["as large"]
    assert backlog.start(2, TOGETHER) is backlog.start(1, TOGETHER) is None
    assert names(backlog.start(0, TOGETHER)) == ["large"]


def test_the_first_result_of_a_task_counts_and_no_other():
    backlog = Backlog([batch("a", "b")], SHARE)
    both = results(backlog.start(0, TOGETHER))
    assert names(backlog.close(both[:1])) == ["a"]
    assert names(backlog.close(both)) == ["b"]
    assert backlog.close(both) == []


def test_what_a_dead_worker_left_to_do_runs_alone_and_last():
    backlog = Backlog([batch("a", "b", "c"), batch("d"), batch("large", memory=11.0)], SHARE)
    first = backlog.start(0, TOGETHER)
    backlog.close(results(first)[:1])
    for _ in range(2 * TRIES):  # in company nobody is to blame, however often
        assert backlog.take_back(first, DEATH) == []
    assert names(backlog.start(0, TOGETHER)) == ["d"]
    assert names(backlog.start(0, TOGETHER)) == ["large"]
    assert backlog.start(1, TOGETHER) is None
    assert names(backlog.start(0, TOGETHER)) == ["b", "c"]


def test_a_batch_whose_every_task_was_told_of_is_through_though_its_worker_died():
    backlog = Backlog([batch("a", memory=11.0)], SHARE)
    started = backlog.start(0, TOGETHER)
    backlog.close(results(started))
    assert backlog.take_back(started, DEATH) == []
    assert not backlog


@pytest.mark.parametrize("memory", [1.0, 11.0])
def test_a_task_that_kills_its_worker_alone_is_given_up_after_its_tries(memory):
    """Not the others of its batch; those before it were told of."""
    backlog = Backlog([batch("a", "deadly", "c", memory=memory)], SHARE)
    deaths, given_up = 0, []
    while started := backlog.start(0, TOGETHER):
        if "deadly" in names(started):
            backlog.close(results(started)[: names(started).index("deadly")])
            given_up += backlog.take_back(started, DEATH)
            deaths += 1
        else:
            backlog.close(results(started))
    assert deaths == TRIES + (memory < SHARE)  # once in company
    (failed,) = given_up
    assert names(given_up) == ["deadly"]
    assert failed.results == dict.fromkeys((0, 1), repr(DEATH))


def test_deaths_count_against_the_task_that_was_next():
    backlog = Backlog([batch("a", "b", memory=11.0)], SHARE)
    for _ in range(TRIES - 1):
        assert backlog.take_back(backlog.start(0, TOGETHER), DEATH) == []
    started = backlog.start(0, TOGETHER)
    backlog.close(results(started)[:1])
    assert backlog.take_back(started, DEATH) == []  # the first death that is b's
    assert names(backlog.start(0, TOGETHER)) == ["b"]
