"""What errors say of names that are not known."""

import pytest

from hub.errors import nearest


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([], " (none is installed)"),
        (["maths", "mth", "code"], ": did you mean 'maths' or 'mth'?"),
        (["b", "a"], " (known: a, b)"),
        ([f"task {number:05}" for number in range(12_000)], ", task 00099, and 11900 more)"),
    ],
)
def test_what_is_meant_or_known(known: list[str], said: str) -> None:
    found = nearest("math", known)
    assert found.endswith(said)
    assert len(found) < 2_000
