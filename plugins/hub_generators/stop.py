"""Where a completion ends: at the first stop text, which is not part of it."""

from collections.abc import Sequence


def cut(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Return the text before the first stop text, and whether there was one.

    >>> cut("4. Q: 5", ["Q:", "."])
    ('4', True)
    """
    places = [place for place in (text.find(one) for one in stop) if place >= 0]
    return (text[: min(places)], True) if places else (text, False)
