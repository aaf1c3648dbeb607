"""Addresses that `hub export` prints for a service."""

import pytest

from hub.errors import ConfigError
from hub.training.service_url import service_url


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h", "http://h/remote_rm?label=a%26b"),
        ("https://h:8000/", "https://h:8000/remote_rm?label=a%26b"),
        ("http://h/remote_rm/", "http://h/remote_rm?label=a%26b"),
        ("http://h/mixes/math", "http://h/mixes/math/remote_rm?label=a%26b"),
        ("http://h/remote_rm?group_size=8", "http://h/remote_rm?group_size=8&label=a%26b"),
        ("http://h?label=other", "http://h/remote_rm?label=other"),
        ("http://[::1]:8000/my_remote_rm#x", "http://[::1]:8000/my_remote_rm/remote_rm?label=a%26b"),
    ],
)
def test_what_the_user_gives_is_kept(url: str, found: str) -> None:
    assert service_url(url, "remote_rm", {"label": "a&b"}) == found


@pytest.mark.parametrize("url", ["", "host:8000", "http://", "/remote_rm", "ftp://h"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="give the address of a service"):
        service_url(url, "remote_rm", {})
