"""Quantiles of Student's t and of the beta distribution, with the standard library only."""

from math import exp, lgamma, log, log1p, sqrt

TINY = 1e-300


def t_quantile(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t.

    Args:
        freedom: degrees of freedom, greater than 0.

    >>> round(t_quantile(1), 4), round(t_quantile(9), 4), round(t_quantile(10_000), 4)
    (12.7062, 2.2622, 1.9602)
    """
    x = beta_quantile(0.05, freedom / 2, 0.5)
    return sqrt(freedom * (1 - x) / x)


def clopper_pearson(mean: float, n: float) -> tuple[float, float]:
    """Return Clopper's and Pearson's 95 % interval of a proportion (1934), which covers no less than that.

    Args:
        mean: the proportion.
        n: values; need not be whole.

    >>> tuple(round(end, 4) for end in clopper_pearson(0.3, 10))
    (0.0667, 0.6525)
    """
    ones, zeros = mean * n, n - mean * n
    low = beta_quantile(0.025, ones, zeros + 1) if ones > 0 else 0.0
    high = beta_quantile(0.975, ones + 1, zeros) if zeros > 0 else 1.0
    return low, high


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return where a beta distribution has so much of its mass on the left, by bisection.

    Args:
        share: of the mass, between 0 and 1.
        a: its first parameter, greater than 0.
        b: its second.
    """
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in (low, high) and high - low > 1e-14:
        if _left_of(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return middle


def _left_of(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function (NIST DLMF, 8.17.22)."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _left_of(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a if x > 0 else 0.0
    # The continued fraction, by Lentz's method as modified by Thompson and Barnett (1986).
    d = 1 / _apart(1 - (a + b) * x / (a + 1))
    c, value, m = 1.0, d, 0
    while True:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d, c = 1 / _apart(1 + term * d), _apart(1 + term / c)
            step = c * d
            value *= step
        if abs(step - 1) < 1e-14 or m > 10_000:
            return front * value


def _apart(value: float) -> float:
    """A number that can be divided by."""
    return value if abs(value) > TINY else TINY
