"""Workers on threads that take queries from a backlog and answer them."""
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pycaffe_acc.evaluation.prompt_switches import prompt_switches
from pycaffe_acc.load.backlog import Backlog, Step, Wait
from pycaffe_acc.load.clock import Clock, WallClock
from pycaffe_acc.load.engine import Engine
from pycaffe_acc.load.query import Query
from pycaffe_acc.load.run_log import RunLog

#: looks at the log after each batch; a sentence ends the run
Watch = Callable[[RunLog], str]


class Driver:
    """A run on threads: one for each engine.

    Parameters
    ----------
    backlog : Backlog
    log : RunLog
    clock : Clock, optional
        Default: the machine's.
    watch : callable, optional
    """

    def __init__(self, backlog: Backlog, log: RunLog, clock: Clock | None = None, watch: Watch | None = None):
        self._backlog, self._log, self._clock, self._watch = backlog, log, clock or WallClock(), watch
        self._lock = threading.Lock()
        self._start = 0
        self._trouble: BaseException | None = None

    def run(self, engines: Sequence[Engine]) -> RunLog:
        """Answer everything; one engine works on the calling thread, several on threads of their own.

        An exception of an engine is a failed query in the log, and the run goes on. Ctrl-C ends the run, with what was answered so far in the log.

        Parameters
        ----------
        engines : sequence of Engine

        Returns
        -------
        RunLog
        """
        self._start = self._clock.now_ns()
        try:
            if len(engines) == 1:
                self._serve(engines[0])
            else:
                self._run_threads(engines)
        except KeyboardInterrupt:
            self._log.stopped = "interrupted"
        if self._trouble is not None:
            raise self._trouble
        return self._log

    def _run_threads(self, engines: Sequence[Engine]) -> None:
        threads = [threading.Thread(target=self._guarded, args=(e,), name=f"load{i}", daemon=True) for i, e in enumerate(engines)]
        with prompt_switches():
            try:
                for thread in threads:
                    thread.start()
                _join(threads)
            except KeyboardInterrupt:
                self._log.stopped = "interrupted"
                _join(threads)

    def _guarded(self, engine: Engine) -> None:
        try:
            self._serve(engine)
        except BaseException as e:  # a defect of the run itself, raised again on the calling thread
            self._trouble = self._trouble or e
            self._log.stopped = "a worker ended"

    def _serve(self, engine: Engine) -> None:
        engine.bind()
        clock, log = self._clock, self._log
        while True:
            with self._lock:
                if log.stopped:
                    return
                started = clock.now_ns() - self._start
                step: Step = self._backlog.take(started)
            if step is None:
                log.ended_ns = started
                return
            if isinstance(step, Wait):
                clock.sleep_until(self._start + step.until_ns)
                continue
            self._answer(engine, step, started)

    def _answer(self, engine: Engine, batch: tuple[Query, ...], started: int) -> None:
        reason = ""
        try:
            scores = engine.answer([s for q in batch for s in q.samples])
        except Exception as e:
            reason = f"{type(e).__name__}: {e}"
        finished = self._clock.now_ns() - self._start
        with self._lock:
            if reason:
                self._log.failed(batch, finished, reason)
            else:
                self._log.answered(batch, started, finished, scores)
            if self._watch is not None and not self._log.stopped:
                self._log.stopped = self._watch(self._log)


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # in steps, so that Ctrl-C gets through on every system
