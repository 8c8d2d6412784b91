"""Jobs in a line: one worker does them in their order, and any can be stopped at its next step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class Cancelled(Exception):  # noqa: N818 - which is no error
    """A job was stopped before its end, because somebody asked for that.

    Examples
    --------
    >>> job = Job(lambda job: 6 * 7)
    >>> job.cancel()
    >>> isinstance(job.done.exception(), Cancelled)
    True
    """


class Job(Generic[T]):
    """One piece of work: it waits, is done, or is over.

    Parameters
    ----------
    work : callable
        Is given the job, whose `on_progress` and `on_step` it calls as often as it can be stopped,
        and returns the result.
    owner : str
        Who asked for it.
    listener : callable, optional
        Is told of progress, as ``on_progress`` of `vampprompt.compose` is, by the worker.

    Attributes
    ----------
    done : Future
        Holds the result, or what went wrong; `Cancelled` if the job was stopped.

    Examples
    --------
    >>> job = Job(lambda job: 6 * 7, owner="somebody")
    >>> job.run()
    >>> job.done.result()
    42
    """

    def __init__(
        self,
        work: Callable[[Job[T]], T],
        owner: str = "",
        listener: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.owner = owner
        self.done: Future[T] = Future()
        # From now on nobody can cancel it behind the job's back, as asyncio would.
        self.done.set_running_or_notify_cancel()
        self._work = work
        self._listener = listener
        self._lock = Lock()
        self._has_begun = self._shall_stop = False

    def cancel(self) -> None:
        """Stop it: at once if it waits, at its next step if not. Too late does no harm."""
        with self._lock:
            was_waiting = not self._has_begun and not self._shall_stop
            self._shall_stop = True
        if was_waiting:
            self.done.set_exception(Cancelled())

    def run(self) -> None:
        """Do the work, unless the job was stopped before its turn came."""
        with self._lock:
            if self._shall_stop:
                return
            self._has_begun = True
        try:
            result = self._work(self)
        except BaseException as error:
            self.done.set_exception(error)
        else:
            self.done.set_result(result)

    def check(self) -> None:
        """Find out whether to go on.

        Raises
        ------
        Cancelled
            If not.
        """
        if self._shall_stop:
            raise Cancelled

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Tell of progress, and stop here if that is asked for: see `check`."""
        self.check()
        if self._listener is not None:
            self._listener(stage, done, total)

    def on_step(self, stage: str, step: object) -> None:
        """Stop after this step if that is asked for: see `check`."""
        self.check()


class Closing:
    """What is closed at the end of a ``with`` block."""

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Queue(Closing):
    """A line of jobs before one worker, which is as many as one device has work for.

    Examples
    --------
    >>> with Queue() as queue:
    ...     job = queue.submit(lambda job: 6 * 7, owner="somebody")
    ...     job.done.result()
    42
    """

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="composing")
        self._jobs: list[Job[Any]] = []
        self._lock = Lock()

    def submit(
        self,
        work: Callable[[Job[T]], T],
        owner: str = "",
        listener: Callable[[str, int, int], None] | None = None,
    ) -> Job[T]:
        """Put work at the end of the line; the arguments are those of `Job`."""
        job = Job(work, owner, listener)
        with self._lock:
            self._jobs = [*self._unfinished(), job]
            self._worker.submit(job.run)
        return job

    @property
    def jobs(self) -> list[Job[Any]]:
        """Those that are not over, in their order."""
        with self._lock:
            return self._unfinished()

    def cancel(self, owner: str) -> list[Job[Any]]:
        """Stop all jobs of an owner, and return those that were not over."""
        found = [job for job in self.jobs if job.owner == owner]
        for job in found:
            job.cancel()
        return found

    def close(self) -> None:
        """Stop all jobs, and wait until the one that is being done has stopped."""
        for job in self.jobs:
            job.cancel()
        self._worker.shutdown()

    def _unfinished(self) -> list[Job[Any]]:
        return [job for job in self._jobs if not job.done.done()]
