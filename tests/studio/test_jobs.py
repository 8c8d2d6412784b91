"""The line: its order, its end, and that whatever happens to one job is no matter of the next."""

import threading

import pytest

from vampprompt.studio import Cancelled, Queue

PATIENCE = 60  # seconds, for a busy machine


@pytest.fixture
def queue():
    with Queue() as made:
        yield made


class Slow:
    """Work of many steps, each of which waits until it is let go on."""

    def __init__(self, n_steps=3):
        self.began, self.go = threading.Event(), threading.Semaphore(0)
        self.n_steps, self.n_done = n_steps, 0

    def __call__(self, job):
        self.began.set()
        for number in range(self.n_steps):
            assert self.go.acquire(timeout=PATIENCE)
            self.n_done += 1
            job.on_progress("coarse", number + 1, self.n_steps)
            job.on_step("coarse", None)
        return self.n_done


def begun(queue, **settings):
    work = Slow()
    job = queue.submit(work, **settings)
    assert work.began.wait(PATIENCE)
    return work, job


def test_jobs_are_done_in_their_order_one_at_a_time(queue):
    work, first = begun(queue)
    told = []
    others = [queue.submit(lambda job, n=n: told.append(n) or n) for n in range(5)]
    assert queue.jobs == [first, *others]
    assert not told
    work.go.release(3)
    assert [job.done.result(PATIENCE) for job in others] == [0, 1, 2, 3, 4] == told
    assert first.done.result() == 3
    assert not queue.jobs


def test_a_running_job_stops_at_its_next_step(queue):
    work, job = begun(queue)
    work.go.release()
    job.cancel()
    work.go.release(2)
    with pytest.raises(Cancelled):
        job.done.result(PATIENCE)
    assert work.n_done == 1
    assert queue.submit(lambda job: 7).done.result(PATIENCE) == 7


def test_a_waiting_job_stops_at_once_and_is_never_begun(queue):
    work, first = begun(queue)
    other = Slow()
    waiting = queue.submit(other)
    waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.done.result(0)
    waiting.cancel()
    assert queue.jobs == [first]
    work.go.release(3)
    assert first.done.result(PATIENCE) == 3
    assert queue.submit(lambda job: 7).done.result(PATIENCE) == 7
    assert not other.began.is_set()


def test_what_is_stopped_too_late_is_done(queue):
    job = queue.submit(lambda job: 7)
    assert job.done.result(PATIENCE) == 7
    job.cancel()
    assert job.done.result() == 7


def test_only_the_owner_s_jobs_are_stopped(queue):
    work, first = begun(queue, owner="one")
    jobs = [queue.submit(lambda job: 7, owner=owner) for owner in ("two", "one", "two")]
    assert queue.cancel("one") == [first, jobs[1]]
    work.go.release(3)
    assert [jobs[n].done.result(PATIENCE) for n in (0, 2)] == [7, 7]
    assert queue.cancel("nobody") == []


def test_nobody_can_cancel_the_future_itself(queue):
    work, job = begun(queue)
    assert not job.done.cancel()
    work.go.release(3)
    assert job.done.result(PATIENCE) == 3


def test_an_error_is_its_job_s_alone(queue):
    def fail(job):
        raise ValueError("no")

    def leave(job):
        raise SystemExit

    with pytest.raises(ValueError, match="no"):
        queue.submit(fail).done.result(PATIENCE)
    with pytest.raises(SystemExit):
        queue.submit(leave).done.result(PATIENCE)
    assert queue.submit(lambda job: 7).done.result(PATIENCE) == 7


def test_a_listener_hears_of_progress(queue):
    told = []
    work = Slow()
    work.go.release(3)
    queue.submit(work, listener=lambda *report: told.append(report)).done.result(PATIENCE)
    assert told == [("coarse", number, 3) for number in (1, 2, 3)]


def test_closing_stops_all():
    queue = Queue()
    work, first = begun(queue)
    waiting = queue.submit(lambda job: 7)
    first.cancel()
    work.go.release()
    queue.close()
    for job in (first, waiting):
        with pytest.raises(Cancelled):
            job.done.result(0)
