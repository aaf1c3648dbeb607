"""The address of a reward service as a trainer is given it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from hub.errors import ConfigError


def service_url(url: str, route: str, query: Mapping[str, object]) -> str:
    """Return where a service answers in a trainer's protocol.

    Args:
        url: of a running `hub serve`, with or without the route, and with what the user adds to the query;
            that counts before `query`.
        route: the protocol's, e.g. "get_reward".
        query: parameters to add.

    Raises:
        ConfigError: it is no address of a server.

    >>> service_url("http://host:8000/mixes/math?group_size=4", "get_reward", {"group_size": 8, "label": "x"})
    'http://host:8000/mixes/math/get_reward?group_size=4&label=x'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"url={url!r}: give the address of a service, e.g. http://host:8000")
    path = parts.path.rstrip("/")
    if path.rpartition("/")[2] != route:
        path = f"{path}/{route}"
    given = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, _ in given}
    added = [*given, *((name, str(value)) for name, value in query.items() if name not in names)]
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(added, quote_via=quote), ""))
