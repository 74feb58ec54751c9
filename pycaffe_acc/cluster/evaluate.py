"""Runs an evaluation on a Ray cluster: shares are given to whoever is free, and those of a lost worker to another."""
from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from pycaffe_acc.cluster.merge import ClusterOutcome, merged
from pycaffe_acc.cluster.shard import Shard, ShardResult, WorkerUse, shards
from pycaffe_acc.cluster.worker import Opener, Ready, Worker
from pycaffe_acc.errors import CheckError, MissingExtraError

LOCAL = "local"
#: seconds that workers have to come up
_PATIENCE = 600.0


class ClusterRun:
    """One evaluation on a cluster.

    Parameters
    ----------
    address : str
        "local", "auto", or a cluster's HOST:PORT.
    workers : int
    cores : int
        CPUs that each worker asks the cluster for.
    opener : Opener
        Runs on the workers: what it names must be there, too.
    images, batch : int
    progress : callable, optional
        Called with the number of images of each share.

    Attributes
    ----------
    alive : dict
        Workers that are there, by their handles.

    Raises
    ------
    MissingExtraError
        Without Ray.
    """

    def __init__(self, address: str, workers: int, cores: int, opener: Opener, images: int, batch: int,
                 progress: Callable[[int], object] | None = None):
        try:
            import ray
        except ImportError as e:
            raise MissingExtraError("evaluating on a cluster needs Ray: pip install 'pycaffe-acc[cluster]' on every machine of it") from e
        self._ray: Any = ray
        self._address, self._count, self._cores, self._opener = address, workers, cores, opener
        self._shards, self._progress = shards(images, batch), progress
        self._waiting = deque(self._shards)
        self._results: dict[int, ShardResult] = {}
        self._running: dict[Any, tuple[Any, Shard]] = {}
        self.alive: dict[Any, WorkerUse] = {}
        self._uses: list[WorkerUse] = []
        self._places: dict[Any, tuple[str, int]] = {}
        self._redone = self._losses = 0

    def run(self) -> ClusterOutcome:
        """Connect, start the workers, evaluate, and leave.

        Raises
        ------
        CheckError
            When the cluster cannot be reached or has not the CPUs, or workers are lost again and again.
        CaffeError
            What a worker raised.
        """
        self._connect()
        try:
            for handle in [self._start() for _ in range(self._count)]:
                self._welcome(handle)
            begin = time.perf_counter()
            for handle in list(self.alive):
                self._give(handle)
            while self._running:
                self._collect()
            wall = time.perf_counter() - begin
            return merged(self._shards, self._results, self._uses, self._redone, wall, min(self._count, len(self._shards)))
        finally:
            self._leave()

    # ---- the cluster --------------------------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        ray = self._ray
        if ray.is_initialized():
            raise CheckError("this process is connected to a Ray cluster already; disconnect first")
        self._knock()
        quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "include_dashboard": False}
        try:
            if self._address == LOCAL:
                ray.init(num_cpus=self._count * self._cores, **quiet)
            else:
                quiet.pop("include_dashboard")
                ray.init(address=self._address, **quiet)
        except Exception as e:  # among Ray's own are plain ones: a node that does not come up in time
            raise CheckError(f"there is no Ray cluster at '{self._address}': {' '.join(str(e).split())[:300]}") from e
        there = float(ray.cluster_resources().get("CPU", 0.0))
        if there < self._count * self._cores:
            ray.shutdown()
            raise CheckError(f"the cluster at '{self._address}' has {there:g} CPUs; {self._count} workers with {self._cores} each do not "
                             "fit. Ask for fewer workers or cores")

    def _knock(self) -> None:
        """Refuse an address where nobody listens: Ray would try for many minutes."""
        host, colon, port = self._address.rpartition(":")
        if self._address in (LOCAL, "auto"):
            return
        if not (colon and host and port.isdigit()):
            raise CheckError(f"the cluster's address is '{self._address}'; it must be {LOCAL}, auto, or HOST:PORT")
        try:
            socket.create_connection((host, int(port)), timeout=20.0).close()
        except (OSError, OverflowError) as e:
            raise CheckError(f"there is no Ray cluster at '{self._address}': {e}") from e

    def _start(self) -> Any:
        remote = self._ray.remote(num_cpus=self._cores, max_restarts=0, scheduling_strategy="SPREAD")(Worker)
        return remote.remote(self._opener)

    def _welcome(self, handle: Any) -> None:
        """Wait until a worker can begin."""
        errors = self._ray.exceptions
        try:
            machine: str = self._ray.get(handle.machine.remote(), timeout=_PATIENCE)
            place = next(i for i in range(self._count + 1) if (machine, i) not in self._places.values())
            ready: Ready = self._ray.get(handle.ready.remote(place, self._cores), timeout=_PATIENCE)
        except errors.RayTaskError as e:
            raise _cause(e) from e
        except (errors.RayActorError, errors.GetTimeoutError) as e:
            raise CheckError(f"a worker did not come up: {' '.join(str(e).split())[:500]}") from e
        use = WorkerUse(ready.name, load_seconds=ready.load_seconds, compile_seconds=ready.compile_seconds, warmup_seconds=ready.warmup_seconds)
        self.alive[handle], self._places[handle] = use, (machine, place)
        self._uses.append(use)

    def _leave(self) -> None:
        for handle in self.alive:
            self._ray.kill(handle)
        self._ray.shutdown()

    # ---- shares -------------------------------------------------------------------------------------------------------------------------------

    def _give(self, handle: Any) -> None:
        """One share to work at, and one more so that the next begins at once; near the end nobody holds what another could do now."""
        held = sum(h is handle for h, _ in self._running.values())
        while self._waiting and held < (2 if len(self._waiting) > self._count else 1):
            shard = self._waiting.popleft()
            self._running[handle.run.remote(shard)] = handle, shard
            held += 1

    def _collect(self) -> None:
        """One share's end, good or bad."""
        errors = self._ray.exceptions
        done, _ = self._ray.wait(list(self._running), num_returns=1)
        handle, shard = self._running.pop(done[0])
        try:
            result: ShardResult = self._ray.get(done[0])
        except errors.RayTaskError as e:
            raise _cause(e) from e
        except errors.RayActorError:
            self._replace(handle, shard)
            return
        use = self.alive[handle]
        use.shards += 1
        use.images += result.images
        use.busy_seconds += result.busy_seconds
        use.busy_sum_seconds += result.busy_sum_seconds
        self._results[shard.number] = result
        if self._progress is not None:
            self._progress(shard.end - shard.first)
        self._give(handle)

    def _replace(self, handle: Any, shard: Shard) -> None:
        """Another worker for a lost one; its shares go first."""
        self.alive.pop(handle).lost = True
        del self._places[handle]
        held = [task for task, (h, _) in self._running.items() if h is handle]
        self._waiting.extendleft([*(self._running.pop(task)[1] for task in reversed(held)), shard])
        self._redone += 1
        self._losses += 1
        if self._losses > 2 * self._count + 1:
            raise CheckError(f"{self._losses} workers were lost, the last one with the images {shard.first} to {shard.end - 1}: is there "
                             "enough memory on the machines of the cluster?")
        fresh = self._start()
        self._welcome(fresh)
        self._give(fresh)


def _cause(error: Any) -> BaseException:
    """What a worker raised, as if it had been raised here."""
    inner = getattr(error, "cause", None)
    return inner if isinstance(inner, BaseException) else CheckError(" ".join(str(error).split())[-500:])


def evaluate_on_cluster(address: str, workers: int, cores: int, opener: Opener, images: int, batch: int,
                        progress: Callable[[int], object] | None = None) -> ClusterOutcome:
    """Evaluate on a cluster; see `ClusterRun`."""
    return ClusterRun(address, workers, cores, opener, images, batch, progress).run()
