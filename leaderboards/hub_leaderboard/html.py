"""Pages of plain text: the one place where what models and files say becomes HTML.

Every text goes through `escape`, or through `island` as data that a script shows as text. A page's policy
lets only this package's own scripts and styles run, known by their hashes: no request goes anywhere, and
nothing in a text runs even if it were taken for HTML.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from html import escape as _escape
from importlib.resources import files
from typing import Any

_FOLDERS = re.compile(r"(?<![\w:./])/(?:[^\s/'\",;()]+/)+")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_RISKY = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def escape(value: object) -> str:
    r"""Return a text for HTML, inside elements and quoted attributes.

    What no page can hold, NUL and halves of characters, becomes U+FFFD.

    >>> escape('<b title="x">\x00')
    '&lt;b title=&quot;x&quot;&gt;�'
    """
    return _escape(_UNWRITABLE.sub("\ufffd", str(value)), quote=True)


def without_folders(text: object) -> str:
    """Return a text in which absolute paths are their last part: where files lay is nobody's business.

    >>> without_folders("graded with another mix: /home/me/mix.toml, see http://host/v1/chat")
    'graded with another mix: mix.toml, see http://host/v1/chat'
    """
    return _FOLDERS.sub("", str(text))


def island(data: Any) -> str:
    r"""Return data as JSON for a `<script type="application/json">`; it comes back exactly.

    >>> island(["</script>", "\ud800"])
    '["\\u003c/script\\u003e","\\ud800"]'
    """
    try:
        text = _dump(data)
    except ValueError:  # a number that JSON has not, which would cost the whole page
        text = _dump(json.loads(json.dumps(data, default=str), parse_constant=str))
    for risky, harmless in _RISKY.items():
        text = text.replace(risky, harmless)
    return _LONE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False)


def page(title: str, body: str, *, scripts: Sequence[str] = (), data: Any = None) -> str:
    """Return a whole page.

    Args:
        title: as text.
        body: HTML, made with `escape`.
        scripts: files of assets/ to run, in order.
        data: for the element with the id "data"; None for none.
    """
    sources = [asset(name) for name in scripts]
    style = asset("site.css")
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src " + (" ".join(map(_digest, sources)) or "'none'"),
            f"style-src {_digest(style)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    held = "" if data is None else f'<script type="application/json" id="data">{island(data)}</script>\n'
    run = "".join(f"<script>{source}</script>\n" for source in sources)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n{held}{run}</body>\n</html>\n"
    )


@cache
def asset(name: str) -> str:
    """Return a file of assets/."""
    return files("hub_leaderboard").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
