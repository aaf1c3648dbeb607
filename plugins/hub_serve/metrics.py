"""What a service counts, for Prometheus."""

import os
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hub.mix.combine import MixScore
from hub_serve.mixes import Mixes

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        more: Any = {"registry": self.registry}
        self._requests = Counter("hub_serve_requests", "Answered requests", ["route", "status"], **more)
        self._seconds = Histogram(
            "hub_serve_request_seconds", "Time of a request", ["route"], buckets=_SECONDS, **more
        )
        self._scoring = Histogram(
            "hub_serve_scoring_seconds", "Time of scoring a batch", ["mix"], buckets=_SECONDS, **more
        )
        self._samples = Counter("hub_serve_samples", "Scored samples", ["mix"], **more)
        self._outcomes = Counter(
            "hub_serve_scores",
            "Scores by reward, outcome and reason; the reward (total) is the mix's total",
            ["mix", "reward", "outcome", "reason"],
            **more,
        )
        self.reloads = Counter("hub_serve_reloads", "Mix files read again", ["mix", "result"], **more)
        self.remembered = Counter(
            "hub_serve_repeated", "Requests answered as a repetition of an earlier one", **more
        )
        self._children: dict[tuple[Any, ...], Any] = {}

    def watch(
        self,
        mixes: Mixes,
        waiting: Callable[[], float],
        under_way: Callable[[], float],
        ready: Callable[[], float],
    ) -> None:
        """Add what is read off the service when somebody asks."""
        for name, what, value in (
            ("hub_serve_waiting_samples", "Samples admitted and not answered", waiting),
            ("hub_serve_requests_under_way", "Requests not answered yet", under_way),
            ("hub_serve_ready", "1 where new requests are taken", ready),
        ):
            Gauge(name, what, registry=self.registry).set_function(value)
        self.registry.register(_Engine(mixes))

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._child(self._requests, route, str(status)).inc()
        self._child(self._seconds, route).observe(seconds)

    def scored(self, mix: str, results: Sequence[MixScore], seconds: float) -> None:
        """Count the scores of a batch."""
        self._child(self._scoring, mix).observe(seconds)
        self._child(self._samples, mix).inc(len(results))
        self._tally(mix, results)

    def _tally(self, mix: str, results: Sequence[MixScore]) -> None:
        if not results:
            return
        columns = {name: [result.scores[name] for result in results] for name in results[0].scores}
        for name, scores in {"(total)": [result.total for result in results], **columns}.items():
            missing = [score for score in scores if score.value is None]
            found = Tally((s.outcome.value, str(s.reason) if s.fault else "") for s in missing)
            found["scored", ""] += len(scores) - len(missing)
            for (outcome, reason), count in found.items():
                self._child(self._outcomes, mix, name, outcome, reason).inc(count)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _child(self, metric: Any, *labels: str) -> Any:
        key = (metric, labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child


class _Engine:
    """The engine's accounts and the mixes, read when Prometheus asks."""

    def __init__(self, mixes: Mixes) -> None:
        self._mixes = mixes

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("hub_serve_mix", "The mixes that are served", labels=["mix", "sha256"])
        gathered = CounterMetricFamily(
            "hub_serve_gathered", "What came of samples that wait for their group", labels=["mix", "what"]
        )
        for served in list(self._mixes):
            info.add_metric([served.name, served.sha256], 1)
            sums = Tally(served.gathered)
            for gatherer in list(served.gatherers.values()):
                sums.update(gatherer.counts)
            for what, count in sums.items():
                gathered.add_metric([served.name, what], count)
        calls = CounterMetricFamily("hub_engine_samples", "Samples by reward", labels=["reward", "outcome"])
        cached = CounterMetricFamily("hub_engine_cached", "Scores from the cache", labels=["reward"])
        times = GaugeMetricFamily(
            "hub_engine_run_seconds", "Run time of the last calls", labels=["reward", "quantile"]
        )
        queued = GaugeMetricFamily(
            "hub_engine_queue_seconds", "Time in the queue of the last calls", labels=["reward", "quantile"]
        )
        for name, account in self._mixes.engine.stats().items():
            for outcome in ("scored", "abstained", "failed"):
                calls.add_metric([name, outcome], account[outcome])
            cached.add_metric([name], account["cached"])
            for family, key in ((times, "run_ms"), (queued, "queue_ms")):
                for quantile, value in (account[key] or {}).items():
                    family.add_metric([name, f"0.{quantile[1:]}"], value / 1000)
        memory = GaugeMetricFamily(
            "hub_serve_memory_bytes", "Memory of the service's process, without workers"
        )
        memory.add_metric([], _resident())
        yield from (info, gathered, calls, cached, times, queued, memory)


def _resident() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return float(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0.0
