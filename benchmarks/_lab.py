"""Runs the same trial over many seeds on all cores, and puts what came out into the cells of a table."""

from multiprocessing.pool import Pool
from statistics import median, quantiles
from types import TracebackType
from typing import Any, Self

import attrs
from _fleet import FleetTrial, run_fleet
from _run import Outcome, Trial, run_trial


@attrs.define
class Lab:
    """A pool of processes that remembers its results; an instance is a context.

    Args:
        seeds: How often a trial with a bar is repeated.
        others: How often one without is.
    """

    seeds: int
    others: int
    _pool: Pool = attrs.field(factory=Pool, init=False)
    _known: dict[Trial, Outcome] = attrs.field(factory=dict[Trial, Outcome], init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.terminate()

    def outcomes(self, server: str, *, barred: bool = False, **settings: Any) -> list[Outcome]:
        """What came of one trial, for each seed."""
        seeds = range(self.seeds if barred else self.others)
        kind = FleetTrial if "processes" in settings else Trial
        trials = [kind(server=server, seed=seed, **settings) for seed in seeds]
        new = [trial for trial in trials if trial not in self._known]
        self._known.update(zip(new, self._pool.imap(_run, new), strict=True))
        return [self._known[trial] for trial in trials]


def _run(trial: Trial) -> Outcome:
    return run_fleet(trial) if isinstance(trial, FleetTrial) else run_trial(trial)


def worst(outcomes: list[Outcome]) -> float:
    """The largest ratio to the bound."""
    return max(outcome.ratio for outcome in outcomes)


def most_refused(outcomes: list[Outcome]) -> int:
    """The most calls refused in one run."""
    return max(outcome.refused for outcome in outcomes)


def largest_burst(outcomes: list[Outcome]) -> int:
    """The most calls refused at once in one run."""
    return max(outcome.burst for outcome in outcomes)


def ratio_cell(outcomes: list[Outcome]) -> str:
    """Median and worst ratio, and the median and largest number of 429s if there were any."""
    ratios = f"{median(outcome.ratio for outcome in outcomes):.2f} … {worst(outcomes):.2f}"
    usual = int(median(outcome.refused for outcome in outcomes))
    return ratios if not most_refused(outcomes) else f"{ratios} ({usual} … {most_refused(outcomes)})"


def wait_quantile(outcomes: list[Outcome], percent: int) -> float:
    """A quantile of what people waited, over all runs."""
    return quantiles((wait for outcome in outcomes for wait in outcome.waits), n=100)[percent - 1]


def wait_cell(outcomes: list[Outcome]) -> str:
    """Median, 95th percentile and maximum of what people waited."""
    longest = max(wait for outcome in outcomes for wait in outcome.waits)
    text = f"{wait_quantile(outcomes, 50):.2f} / {wait_quantile(outcomes, 95):.2f} / {longest:,.1f}"
    return text if not most_refused(outcomes) else f"{text} ({most_refused(outcomes)})"
