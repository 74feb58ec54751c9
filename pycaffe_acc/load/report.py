"""What a load run says: accuracy and performance together, with the circumstances."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pycaffe_acc.evaluation.report import Accuracy
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.html_parts import escaped
from pycaffe_acc.load.figures import Figures
from pycaffe_acc.load.performance_run import Search
from pycaffe_acc.load.scenario import HEADING, MLPERF, Scenario

SCHEMA = "pycaffe-acc/load/1"
_SHOWN = 10


@dataclass(frozen=True)
class LoadReport:
    """One configuration of one model under one scenario.

    Attributes
    ----------
    model : str
    configuration : dict
        Everything that changes a figure.
    accuracy : Accuracy
        Of the accuracy run: there is no performance without it.
    seeds : dict of str to int
    figures : Figures or None
        None when only the accuracy run was made.
    search : Search or None
    bound : float or None
        Least top-1 in percent.
    clock : str
        Whose time it is.
    simulated : bool
        Whether an event model gave it.
    seconds : dict of str to float
        Before the clock started: load, compile, warm-up, accuracy run.
    harness_us : float or None
        What the harness itself takes for a query.
    environment : dict
    """

    model: str
    configuration: dict[str, Any]
    accuracy: Accuracy
    seeds: dict[str, int]
    figures: Figures | None = None
    search: Search | None = None
    bound: float | None = None
    clock: str = "measured on host"
    simulated: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    harness_us: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    def reasons(self) -> list[str]:
        """Why the result does not count; empty when it does."""
        found = [] if self.figures is None else self.figures.reasons()
        if self.bound is not None and not self.accuracy.top1 >= self.bound:  # a bound that is NaN never holds
            found.append(f"top-1 is {self.accuracy.top1:.3f} %; the bound is {self.bound:g} %")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; top1 and top5 in percent."""
        reasons = self.reasons()
        return {"schema": SCHEMA, "heading": HEADING, "model": self.model, **self.configuration, "valid": not reasons, "reasons": reasons,
                "time": self.clock, "simulated": self.simulated,
                "images": self.accuracy.images, "top1": self.accuracy.top1, "top5": self.accuracy.top5,
                "min_top1": self.bound, "seeds": self.seeds, "performance": None if self.figures is None else self.figures.to_dict(),
                "search": None if self.search is None else self.search.to_dict(), "seconds_before": self.seconds,
                "harness_us_per_query": self.harness_us, "environment": self.environment}

    def _repr_html_(self) -> str:
        """For Jupyter: the text, escaped."""
        return f"<pre>{escaped(self.text())}</pre>"

    # ---- text -------------------------------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The report for a terminal."""
        c = self.configuration
        name = c["scenario"] if self.figures is not None else "accuracy run"
        if self.simulated:
            name = f"SIMULATED {name}"
        blocks = [f"{HEADING}: {name} of {self.model}, {c['precision']}", self._accuracy_text()]
        if self.figures is not None:
            blocks += [self._summary(self.figures), self._times(self.figures), "\n".join(self._notes(self.figures))]
        if self.search is not None:
            blocks.append(self._trials(self.search))
        blocks.append("\n".join(self._circumstances()))
        reasons = self.reasons()
        blocks.append("VALID" if not reasons else "INVALID: " + "\n         ".join(reasons))
        return "\n\n".join(blocks)

    def _accuracy_text(self) -> str:
        return f"accuracy run: top-1 {self.accuracy.top1:.2f} %, top-5 {self.accuracy.top5:.2f} % of {self.accuracy.images} images"

    def _summary(self, figures: Figures) -> str:
        metric, log = figures.metric(), figures.log
        batches = sum(log.batches.values())
        head = ("result", "value", "unit", "queries", "images", "seconds", "images/s", "mean batch", "top-1 %")
        return table(head, [(metric["name"], f"{metric['value']:.3f}", metric["unit"], figures.queries, log.images, f"{figures.seconds:.2f}",
                             f"{figures.images_per_second:.1f}", f"{log.images / batches:.2f}" if batches else "-", f"{self.accuracy.top1:.2f}")])

    def _times(self, figures: Figures) -> str:
        found = figures.to_dict()
        names = [("latency", "latency_ms"), ("in queue", "queue_ms"), ("service", "service_ms")]
        rows = [(name, found[key]) for name, key in names if found[key] is not None]
        if not rows:
            return "no query was answered"
        head = [k for k in rows[0][1] if k not in ("min", "max")]
        return table(["ms of a query", *head, "max"], [[name, *(f"{times[k]:.3f}" for k in (*head, "max"))] for name, times in rows])

    def _notes(self, figures: Figures) -> list[str]:
        s, log, rule = figures.settings, figures.log, MLPERF[figures.settings.scenario]
        lines = [f"percentiles: nearest rank of {len(log.served)} queries, without MLPerf's early-stopping penalty; MLPerf asks for {rule.seconds} s "
                 f"and {rule.queries} {'images' if s.scenario is Scenario.OFFLINE else 'queries'}, "
                 f"this run for {s.min_seconds:g} s and {s.min_queries}"]
        if s.scenario is Scenario.SERVER:
            bound = "no latency bound" if s.bound_ms is None else f"p{s.percentile:g} at most {s.bound_ms:g} ms"
            lines.append(f"Poisson arrivals at {s.qps:g} queries per second, {bound}, batches of at most {s.max_batch} held back for at most "
                         f"{s.max_delay_ms:g} ms; latency counts from the scheduled arrival")
        lines.append(f"answers compared with the accuracy run's inside the timed run: {log.checked}, differing: {len(log.mismatches)}")
        lines += [f"  {m}" for m in log.mismatches[:_SHOWN]]
        lines += [f"failed: query {f.number} (images {', '.join(map(str, f.samples))}): {f.reason}" for f in log.failures[:_SHOWN]]
        if len(log.failures) > _SHOWN:
            lines.append(f"  … and {len(log.failures) - _SHOWN} more")
        return lines

    def _trials(self, search: Search) -> str:
        rows = [(f"{t.qps:.2f}", f"{t.tail_ms:.3f}", t.queries, "yes" if t.valid else "NO") for t in search.trials]
        shown = table(("queries/s", "percentile ms", "queries", "valid"), rows, left=0)
        return f"search for the highest valid rate, to {100 * search.tolerance:g} %; top-1 {self.accuracy.top1:.2f} % at every rate\n{shown}"

    def _circumstances(self) -> list[str]:
        c, e = self.configuration, self.environment
        lines = [f"times are {self.clock}; {c['instances']} instances of {c['threads']} threads, batch {c['batch']}, preprocessing {c['preprocess']}",
                 "images were prepared before the clock started; a query's time has copy-in, forward and copy-out"
                 + (", and conversion to the card's form and back" if self.simulated else ""),
                 "seeds: " + ", ".join(f"{k} {v}" for k, v in self.seeds.items())]
        if self.harness_us is not None:
            lines.append(f"the harness itself takes {self.harness_us:.1f} us for a query")
        lines.append("before the clock: " + ", ".join(f"{k} {v:.2f} s" for k, v in self.seconds.items())
                     + (f"; {e['cpu']}, {e['cpus_usable']} CPUs" if e else ""))
        return lines
