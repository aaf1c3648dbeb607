"""Completions that no author thinks of and models produce; and what callers hand over that is no text."""

from typing import Any

ODD_TEXTS: dict[str, str] = {
    "nothing": "",
    "white space": " \n\t\u00a0\u2003\u200b",
    "one letter, a million times": "a" * 1_000_000,
    "a megabyte of words": "the answer is 7. " * 60_000,
    "a megabyte without a line end": "0123456789" * 100_000,
    "100,000 open brackets": "[" * 100_000,
    "100,000 braces": "{" * 50_000 + "}" * 50_000,
    "20,000 open boxes": r"\boxed{" * 20_000,
    "20,000 boxes in each other": r"\boxed{" * 20_000 + "7" + "}" * 20_000,
    "20,000 opening tags": "<think>" * 20_000,
    "50,000 fences": "```\n" * 50_000,
    "100,000 dollar signs": "$" * 100_000,
    "100,000 backslashes": "\\" * 100_000,
    "a number of 20,000 digits": "The answer is " + "9" * 20_000,
    "a power tower": r"\boxed{9^{9^{9^{9}}}}",
    "a factorial": r"\boxed{123456789!}",
    "lone surrogates": "\ud800 \udfff \\boxed{\udc80}",
    "NUL and control characters": "\x00\x01\x07\x1b[31m\x7f",
    "right to left": "\u202e\\boxed{42}\u202c \u0627\u0644\u062c\u0648\u0627\u0628",
    "combining marks": "a" + "\u0301" * 10_000,
    "joined emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 100,
    "digits of other scripts": "\u0664\u0662 \uff14\uff12 \u00b2 \u2155 \u216b",
    "all kinds of line ends": "a\r\nb\rc\u2028d\u2029e\x85f\x0cg",
    "a byte order mark": "\ufeff42",
    "format directives": "%s %n {0} {answer} $(id) ${HOME} \\N{BULLET} \\1",
}
"""Completions by what they are. A reward gives each of them a score, or abstains."""

NOT_TEXT: dict[str, Any] = {
    "None": None,
    "an int": 42,
    "bytes": b"\\boxed{42}",
    "a list of texts": ["42", "43"],
    "a message without content": [{"role": "assistant"}],
    "a message whose content is a number": [{"role": "assistant", "content": 42}],
    "a mapping": {"role": "assistant", "content": "42"},
    "a list of messages that is empty": [],
}
"""What callers hand over in place of a completion, by what it is. Some of them can be scored."""
