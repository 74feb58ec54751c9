"""Runs a suite: model by model, net by net; every result is kept as soon as it is there, and what fails is told and left behind."""
from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnml.errors import CnmlError
from cnrt.errors import CnrtError
from pycaffe_acc.errors import CaffeError, CheckError
from pycaffe_acc.evaluation.report import ReportError
from pycaffe_acc.mode import default_threads
from pycaffe_acc.net import Net
from pycaffe_acc.suite.image_set import spread
from pycaffe_acc.suite.measured import Evaluable, end_to_end_in_turns, in_turns, layer_table, measured
from pycaffe_acc.suite.net_files import ModelFiles, zero_shares
from pycaffe_acc.suite.peer_net import PeerNet
from pycaffe_acc.suite.plan import HOST, DevicePlan, ModelPlan, Suite
from pycaffe_acc.suite.rows import OURS, NetPlan, circumstances, judged, net_plans, peer_plans, report_row
from pycaffe_acc.suite.sequence_net import SequenceNet
from pycaffe_acc.suite.simulated import simulated, simulated_layers
from pycaffe_acc.suite.store import Store

#: what ends a row and not the suite; a full disk is not among them
ROW_ERRORS = (CaffeError, CnmlError, CnrtError, ReportError, MemoryError)


class Progress:
    """What a run tells somebody who watches; the default tells nothing."""

    def begin(self, nets: int) -> None:
        """So many nets will be measured."""

    def net(self, name: str, images: int) -> None:
        """A net is opened; this many images will be counted."""

    def images(self, count: int) -> None:
        """So many more were evaluated."""

    def done(self, name: str, sentence: str) -> None:
        """A net is measured, taken from before, or failed with a sentence."""


class Runner:
    """One run of a suite.

    Parameters
    ----------
    suite : Suite
    data : Path
        Folder that the suite's paths are below.
    store : Store
    limit : int, optional
        Images of each net.
    threads : int, optional
        Core slots of the host.
    progress : Progress, optional

    Attributes
    ----------
    failures : dict of str to str
        Row, or net, and why there is none.
    """

    def __init__(self, suite: Suite, data: Path, store: Store, limit: int | None = None, threads: int | None = None,
                 progress: Progress | None = None):
        self.suite, self._data, self._store, self._limit = suite, data, store, limit
        self._threads, self._progress = threads or default_threads(), progress or Progress()
        self.failures: dict[str, str] = {}
        self._results: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Measure everything that is not kept already.

        Raises
        ------
        OSError
            When a result cannot be kept.
        """
        self._progress.begin(sum(1 for m in self.suite.models for _ in (*net_plans(self.suite, m), *peer_plans(self.suite, m))))
        for model in self.suite.models:
            try:
                with tempfile.TemporaryDirectory(prefix="pycaffe-acc-suite-") as folder:
                    _Model(self, model, Path(folder)).run()
            except ROW_ERRORS as e:
                self.failures[model.name] = sentence(e)
                self._progress.done(model.name, sentence(e))

    # ---- what models ask for ----------------------------------------------------------------------------------------------------------------

    def limit_of(self, model: ModelPlan) -> int | None:
        """Images of a model's nets."""
        limits = [n for n in (self._limit, model.limit) if n is not None]
        return min(limits) if limits else None

    def kept(self, plan: NetPlan) -> dict[str, Any] | None:
        """A net's result, if it is there."""
        found = self._store.get(plan.name, self._around(plan))
        if found is not None:
            self._results[plan.name] = found
        return found

    def keep(self, plan: NetPlan, result: dict[str, Any]) -> None:
        """Keep a net's result."""
        self._store.put(plan.name, self._around(plan), result)
        self._results[plan.name] = result

    def card(self, plan: NetPlan, device: DevicePlan, make: Callable[[], dict[str, Any]]) -> None:
        """Times of a net on a card, kept or made now."""
        name, around = plan.row_id(device), self._around(plan) | {"device": [device.name, device.dp, device.mp, device.threads]}
        found = self._store.get(name, around)
        if found is None:
            found = make()
            self._store.put(name, around, found)
        self._cards[name] = found

    def has_card(self, plan: NetPlan, device: DevicePlan) -> bool:
        """Whether they are kept."""
        return self._store.get(plan.row_id(device), self._around(plan) | {"device": [device.name, device.dp, device.mp, device.threads]}) is not None

    def _around(self, plan: NetPlan) -> dict[str, Any]:
        return circumstances(self.suite, plan, self.limit_of(plan.model), self._data) | {"threads": self._threads}

    @property
    def threads(self) -> int:
        """Core slots of the host."""
        return self._threads

    @property
    def progress(self) -> Progress:
        """Who watches."""
        return self._progress

    # ---- what came out ----------------------------------------------------------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """Rows of everything that is there, in the order of the plan."""
        found = []
        for model in self.suite.models:
            for plan in (*net_plans(self.suite, model), *peer_plans(self.suite, model)):
                result = self._results.get(plan.name)
                if result is None:
                    continue
                for device in devices_of(self.suite, plan):
                    if device.name == HOST:
                        found.append(report_row(self.suite, plan, device, result, result["throughput"]))
                    elif plan.row_id(device) in self._cards:
                        found.append(report_row(self.suite, plan, device, result, self._cards[plan.row_id(device)]["throughput"]))
        return judged(self.suite, found)

    def layers(self) -> list[dict[str, Any]]:
        """Tables by layer."""
        found = []
        for row in self.rows():
            plan_name = row["id"].rpartition("@")[0]
            table = self._results[plan_name].get("layers") if row["device"] == HOST else self._cards[row["id"]].get("layers")
            if table:
                found.append({"row": row["id"], "model": row["title"], "variant": row["variant_title"], "device": row["device"], "time": row["time"],
                              "batch": row["batch"], "layers": table})
        return found


class _Model:
    """The nets of one model."""

    def __init__(self, runner: Runner, plan: ModelPlan, folder: Path):
        self._runner, self._plan, self._folder = runner, plan, folder
        self._files: ModelFiles | None = None
        self._nets: dict[str, Evaluable] = {}

    def run(self) -> None:
        runner, suite = self._runner, self._runner.suite
        plans = [*net_plans(suite, self._plan), *peer_plans(suite, self._plan)]
        for plan in plans:
            if plan.runtime == OURS:
                self._guarded(plan, self._measure)
            else:
                self._guarded(plan, self._measure_peer)
        try:
            self._take_turns([p for p in plans if any(d.name == HOST for d in devices_of(suite, p))])
        except ROW_ERRORS as e:
            runner.failures[f"{self._plan.name}: turns"] = sentence(e)

    def _guarded(self, plan: NetPlan, measure: Callable[[NetPlan], str]) -> None:
        try:
            told = measure(plan)
        except ROW_ERRORS as e:
            self._runner.failures[plan.name] = told = sentence(e)
        self._runner.progress.done(plan.name, told)

    @property
    def _model_files(self) -> ModelFiles:
        if self._files is None:
            self._files = ModelFiles(self._runner.suite, self._plan, self._data, self._folder, self._runner.threads)
        return self._files

    @property
    def _data(self) -> Path:
        return self._runner._data

    # ---- nets of this package -----------------------------------------------------------------------------------------------------------------

    def _measure(self, plan: NetPlan) -> str:
        runner = self._runner
        cards = [d for d in devices_of(runner.suite, plan) if d.name != HOST]
        result = runner.kept(plan)
        told = "kept"
        if result is None:
            result = self._evaluate(plan)
            told = _told(result, plan)
        self._on_cards(plan, cards, result)
        return told

    def _evaluate(self, plan: NetPlan) -> dict[str, Any]:
        runner, start = self._runner, time.perf_counter()
        net = self._open(plan)
        result = self._count(plan, net)
        host = runner.suite.host
        if host is not None and host.runs(self._plan.name, plan.variant.name) and not plan.sparsity and isinstance(net, Net):
            result["layers"] = layer_table(net)
        if isinstance(net, Net):
            result["zeros"] = zero_shares(net)[1]
        result["seconds"] = time.perf_counter() - start
        runner.keep(plan, result)
        return result

    def _count(self, plan: NetPlan, net: Evaluable) -> dict[str, Any]:
        runner, files = self._runner, self._model_files
        limit = runner.limit_of(self._plan)
        runner.progress.net(plan.name, min(limit or len(files.images), len(files.images)))
        result = measured(net, spread(files.images, limit), files.preprocess, None, runner.progress.images)
        return result | {"batch": net.blobs[net.inputs[0]].shape[0], "threads": net.threads}

    def _open(self, plan: NetPlan) -> Evaluable:
        """A net with the model's batch; opened once."""
        if plan.name not in self._nets:
            net = self._model_files.net(plan.variant, plan.sparsity, plan.pruning)
            if self._plan.sequence:
                sequence = SequenceNet(net)
                sequence.set_batch(self._plan.batch)
                self._nets[plan.name] = sequence
            else:
                give_batch(net, self._plan.batch)
                self._nets[plan.name] = net
        return self._nets[plan.name]

    def _on_cards(self, plan: NetPlan, cards: list[DevicePlan], result: dict[str, Any]) -> None:
        """Simulated times; one that a card refuses costs its row only."""
        runner, net = self._runner, None
        for device in cards:
            try:
                if net is None and not runner.has_card(plan, device):
                    net = self._model_files.net(plan.variant, plan.sparsity, plan.pruning)
                    give_batch(net, 1)
                runner.card(plan, device, lambda: self._simulate(plan, net, device, result))  # noqa: B023 - called at once
            except ROW_ERRORS as e:
                runner.failures[plan.row_id(device)] = sentence(e)

    def _simulate(self, plan: NetPlan, net: Net | None, device: DevicePlan, result: dict[str, Any]) -> dict[str, Any]:
        if net is None:
            raise CheckError(f"'{plan.name}' has no net to simulate on {device.name}")
        zeros = zero_shares(net)[0] if plan.sparsity else {}
        found: dict[str, Any] = {"throughput": simulated(net, zeros, device, result["accuracy"]["images"])}
        if not plan.sparsity:
            found["layers"] = simulated_layers(net, zeros, device)
        return found

    # ---- other runtimes, and turns --------------------------------------------------------------------------------------------------------------

    def _measure_peer(self, plan: NetPlan) -> str:
        runner = self._runner
        if runner.kept(plan) is not None:
            return "kept"
        start = time.perf_counter()
        net = self._open_peer(plan)
        result = self._count(plan, net)
        runner.keep(plan, result | {"zeros": None, "runtime_version": net.version, "seconds": time.perf_counter() - start})
        return _told(result, plan)

    def _open_peer(self, plan: NetPlan) -> PeerNet:
        if plan.name not in self._nets:
            ours = self._model_files.net(plan.variant)
            give_batch(ours, self._plan.batch)
            self._nets[plan.name] = PeerNet(plan.runtime, ours, self._runner.threads)
        net = self._nets[plan.name]
        if not isinstance(net, PeerNet):
            raise CheckError(f"'{plan.name}' is no net of {plan.runtime}")
        return net

    def _take_turns(self, plans: list[NetPlan]) -> None:
        """Let all nets of the model that the host measured run in turn, and put their figures into their results."""
        runner = self._runner
        there = [(p, r) for p in plans if (r := runner._results.get(p.name)) is not None]
        if not there or all(r["throughput"]["in_turn_fps"] is not None and r.get("turns_with") == [p.name for p, _ in there] for _, r in there):
            return
        nets = {p.name: self._open(p) if p.runtime == OURS else self._open_peer(p) for p, _ in there}
        rates = in_turns(nets, runner.suite.seed)
        whole = end_to_end_in_turns(nets, self._model_files.images, self._model_files.preprocess)
        for plan, result in there:
            turns = {"in_turn_fps": rates[plan.name], "in_turn_end_to_end_fps": whole[plan.name]}
            runner.keep(plan, result | {"throughput": result["throughput"] | turns, "turns_with": list(nets)})


def devices_of(suite: Suite, plan: NetPlan) -> list[DevicePlan]:
    """Devices that a net has rows on."""
    if plan.runtime != OURS:
        return [suite.host] if suite.host is not None else []
    return [d for d in suite.devices if d.runs(plan.model.name, plan.variant.name, plan.sparsity)]


def give_batch(net: Net, batch: int) -> None:
    """Let the one input of a net take so many images."""
    for name in net.inputs:
        net.blobs[name].reshape(batch, *net.blobs[name].shape[1:])
    net.reshape()


def sentence(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _told(result: dict[str, Any], plan: NetPlan) -> str:
    speed = f"{result['throughput']['end_to_end_fps']:.1f} images/s end to end"
    return f"top-1 {result['accuracy']['top1']:.2f} %, {speed}" if plan.model.trained else f"seeded weights, no accuracy claim, {speed}"
