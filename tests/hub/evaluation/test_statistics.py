"""Means, intervals and pass@k against numbers worked out elsewhere."""

import itertools
import random
import statistics

import pytest

from hub.evaluation.quantiles import clopper_pearson, t_quantile
from hub.evaluation.statistics import (
    bootstrap,
    clustered_error,
    effective_n,
    estimate,
    korn_graubard,
    pass_at_k,
    wilson,
)

# From scipy 1.17.1: binomtest(count, n).proportion_ci(0.95, method="wilson").
WILSON = [
    (0, 1, 0.0, 0.793450685623),
    (1, 1, 0.206549314377, 1.0),
    (5, 10, 0.236593090513, 0.763406909487),
    (0, 1319, 0.0, 0.002903944985),
    (660, 1319, 0.473433850019, 0.527322098469),
]


@pytest.mark.parametrize(("count", "n", "low", "high"), WILSON)
def test_wilson(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count / n, n) == pytest.approx((low, high), abs=1e-9)


# From scipy 1.17.1: beta.ppf(0.025, k, n - k + 1), beta.ppf(0.975, k + 1, n - k); t.ppf(0.975, d).
CLOPPER_PEARSON = [
    (0, 3, 0.0, 0.707598226493),
    (3, 10, 0.066739511178, 0.652452850060),
    (1.7, 8.5, 0.019004022784, 0.590486234872),
    (1318, 1319, 0.995783171084, 0.999980805485),
    (5000, 20000, 0.244010538075, 0.256062213520),
]
T = [(1, 12.706204736175), (2.5, 3.574654842004), (9, 2.262157162798), (1e5, 1.959987707535)]


@pytest.mark.parametrize(("count", "n", "low", "high"), CLOPPER_PEARSON)
def test_clopper_pearson(count: float, n: float, low: float, high: float) -> None:
    assert clopper_pearson(count / n, n) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("freedom", "expected"), T)
def test_t(freedom: float, expected: float) -> None:
    assert t_quantile(freedom) == pytest.approx(expected, rel=1e-9)


def test_korn_and_graubard() -> None:
    """Where values of a prompt are independent, only the few prompts count against them."""
    groups = [[1.0, 0.0]] * 10
    assert korn_graubard(groups) == clopper_pearson(0.5, 20 * (t_quantile(19) / t_quantile(9)) ** 2)
    copies = [[1.0] * 4] * 3 + [[0.0] * 4] * 7
    assert korn_graubard(copies) == pytest.approx(clopper_pearson(0.3, 10))


def test_the_standard_error_of_single_values_is_the_usual_one() -> None:
    values = [0.1, 0.9, 0.4, 0.4, 0.7]
    usual = statistics.stdev(values) / len(values) ** 0.5
    assert clustered_error([[value] for value in values], statistics.mean(values)) == pytest.approx(usual)


def test_copies_of_a_completion_add_no_certainty() -> None:
    once = estimate([[1.0], [0.0], [1.0], [0.0], [0.0]])
    copied = estimate([[1.0] * 8, [0.0] * 8, [1.0] * 8, [0.0] * 8, [0.0] * 8])
    assert copied.mean == once.mean
    assert copied.standard_error == pytest.approx(once.standard_error)
    assert copied.low is not None
    assert copied.high is not None
    assert copied.high - copied.low > 0.6


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    draws = random.Random(1)
    hits = 0
    for _ in range(200):
        groups = []
        for _ in range(40):
            level = draws.random()  # how hard the prompt is: mean 0.5
            groups.append([float(draws.random() < level) for _ in range(4)])
        low, high = bootstrap(groups)
        hits += low <= 0.5 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_equal_values_of_the_same_prompts_claim_no_more_than_one_each() -> None:
    once, more = estimate([[0.0]] * 12), estimate([[0.0] * 4] * 12)
    assert (more.low, more.high) == (once.low, once.high)
    assert more.high is not None
    assert more.high > 0.2


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([[1.0], [0.0], [0.0]], 3),
        ([[0.0] * 4] * 5, 5),
        ([[1.0] * 4, [0.0] * 4, [1.0] * 4], 3),
        ([[1.0, 0.0]] * 3, 6),
        ([[1.0] * 3, [1.0]], 1.6),  # the one with three counts for more
    ],
    ids=["one each", "all equal", "copies", "prompts alike", "unequal groups"],
)
def test_effective_n(groups: list[list[float]], expected: float) -> None:
    assert effective_n(groups) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prompts", "chance", "count", "least"), [(10, 0.1, 4, 0.93), (20, 0.05, 4, 0.93), (10, 0.05, 16, 0.88)]
)
def test_the_interval_covers_the_truth_near_the_edge_too(
    prompts: int, chance: float, count: int, least: float
) -> None:
    draws = random.Random(3)
    hits = 0
    for _ in range(400):
        levels = [draws.betavariate(chance, 1 - chance) for _ in range(prompts)]  # half of it by prompt
        found = estimate([[float(draws.random() < level) for _ in range(count)] for level in levels])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= chance <= found.high
    assert hits / 400 >= least  # a bootstrap over prompts: 0.6 to 0.8


CASES = [
    ("nothing", [], (0, 0, None, ""), False),
    ("prompts without values", [[], []], (0, 0, None, ""), False),
    ("one zero", [[0.0]], (1, 1, 0.0, "wilson"), True),
    ("one value between", [[0.3]], (1, 1, 0.3, ""), False),
    ("one prompt, several samples", [[0.0, 1.0]], (2, 1, 0.5, ""), False),
    ("zeros and ones", [[0.0], [1.0], []], (2, 2, 0.5, "wilson"), True),
    ("values between", [[0.5], [1.0]], (2, 2, 0.75, "bootstrap"), True),
    ("negative values", [[-1.0], [1.0]], (2, 2, 0.0, "bootstrap"), True),
    ("unequal groups", [[1.0, 1.0, 1.0], [0.0]], (4, 2, 0.75, "korn-graubard"), True),
    ("one prompt with two", [[1.0], [0.0], [0.0, 1.0]], (4, 3, 0.5, "korn-graubard"), True),
    ("several samples, all wrong", [[0.0] * 4] * 12, (48, 12, 0.0, "wilson"), True),
    ("several samples, all right", [[1.0] * 2] * 3, (6, 3, 1.0, "wilson"), True),
    ("values between that do not vary", [[0.3]] * 5, (5, 5, 0.3, ""), False),
    ("prompts that do not vary", [[0.25, 0.75]] * 5, (10, 5, 0.5, ""), False),
]


@pytest.mark.parametrize(
    ("groups", "expected", "has_interval"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_estimate(
    groups: list[list[float]], expected: tuple[int, int, float | None, str], has_interval: bool
) -> None:
    found = estimate(groups)
    assert (found.n, found.prompts, found.mean, found.method) == expected
    assert (found.low is not None) == (found.high is not None) == has_interval
    if found.low is not None and found.high is not None and found.mean is not None:
        assert found.low <= found.mean <= found.high


def test_pass_at_k_is_the_mean_over_all_choices_of_k() -> None:
    draws = random.Random(2)
    groups = [[float(draws.random() < 0.4) for _ in range(6)] for _ in range(5)]
    found = pass_at_k(groups)
    assert list(found) == [1, 2, 4]
    for k, value in found.items():
        chosen = [max(some) for group in groups for some in itertools.combinations(group, k)]
        assert value == pytest.approx(statistics.mean(chosen))


def test_there_is_no_pass_at_k_that_some_prompt_has_too_few_values_for() -> None:
    assert pass_at_k([[1.0, 1.0], [0.0]]) == {1: 0.5}
    assert pass_at_k([[1.0] * 16, *([[0.0] * 12] * 9), []]) == pytest.approx(
        dict.fromkeys((1, 2, 4, 8, 10), 0.1)
    )
    assert pass_at_k([]) == pass_at_k([[]]) == {}


def test_pass_at_k_has_what_papers_report() -> None:
    assert list(pass_at_k([[1.0] * 100])) == [1, 2, 4, 8, 10, 16, 32, 64, 100]
