r"""Cuts the normal form of an answer into tokens: numbers, names, words, operators.

A token is its kind and its value:

- `num`: its digits, of which a decimal point, an exponent and a repeating part (`0.\overline{3}`) may be part
- `sym` and `const`: a variable, or one of "pi", "e", "i", "infinity"; `func`: a function's name
- `word`: a word or unit; `cmd`: a LaTeX command that builds something (`frac`); `op`: everything else
"""

import re
from typing import NamedTuple

from hub_math.tree import TooComplex, Unreadable

MOST_TOKENS = 600
LONGEST_NUMBER = 4_000
"""Digits of one number: what Python's int() reads, with room (sys.int_info.default_max_str_digits)."""

FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch "
    "arcsinh arccosh arctanh asin acos atan asinh acosh atanh "
    "ln log lg exp sqrt gcd lcm max min floor ceil abs sgn sign det Re Im "
    "Gamma factorial erf cis cosec cosech arsinh arcosh artanh "
    "tg ctg cotg arctg arcctg sh ch th cth cbrt".split()
)
UNITS = frozenset(
    "mm cm dm km ft yd mi kg mg lb lbs oz hr hrs min mins sec secs ml mL cc mph kph rpm ms kW kWh Hz deg "
    "sq cu per "
    "pm am rad gal pt qt kPa Pa atm mol rs Rs USD EUR yen cts pcs yr yrs "
    "one two six ten day dog cat man men boy egg pen box car cup way era day hat bag bus".split()
)
_JOINED = {"and": "and", "or": "or", "And": "and", "OR": "or", "AND": "and"}
_PERCENT = frozenset({"percent", "pct", "percentage", "per cent"})
_SPACED_UNITS = frozenset("mgshLV")
_OPERATORS = {
    "cdot": "*", "times": "*", "ast": "*", "cdotp": "*", "bullet": "*", "div": "/", "pm": "±", "mp": "∓",
    "le": "<=", "leq": "<=", "leqslant": "<=", "leqq": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
    "geqq": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "approx": "≈", "simeq": "≈",
    "thickapprox": "≈",
    "equiv": "≡", "sim": "~", "to": "->", "rightarrow": "->", "implies": "->", "Rightarrow": "->",
    "longrightarrow": "->", "mapsto": "->", "iff": "->", "Leftrightarrow": "->", "in": "in", "cup": "cup",
    "bigcup": "cup", "cap": "cap", "setminus": "\\", "backslash": "\\", "smallsetminus": "\\", "mid": "|",
    "vert": "|", "lvert": "|(", "rvert": "|)", "Vert": "|", "lVert": "|(", "rVert": "|)", "|": "|",
    "middle": "", "{": "{{", "}": "}}", "lbrace": "{{", "rbrace": "}}", "langle": "(", "rangle": ")",
    "lparen": "(", "rparen": ")", "lbrack": "[", "rbrack": "]", "%": "%", "#": "", "&": "&", "_": "_",
    "\\": "newline", "newline": "newline", "cr": "newline", "tabularnewline": "newline",
    "bmod": "mod", "mod": "mod", "colon": ":", "prime": "'", "lor": "or", "vee": "or", "land": "and",
    "wedge": "and", "hline": "", "left": "", "right": "", "therefore": "", "quad": "", "qquad": "",
}  # fmt: skip
_COMMANDS = frozenset(
    "frac sqrt binom dbinom tbinom begin end sum prod int iint iiint oint lim overline bar vec hat tilde "
    "overrightarrow widehat underline mathbb mathcal mathscr mathfrak text pmod lfloor rfloor lceil rceil "
    "circ degree emptyset varnothing boxed over choose overarc widetilde stackrel overset underset".split()
)
GREEK = frozenset(
    "alpha beta gamma delta epsilon theta lambda sigma omega phi psi rho tau kappa zeta".split()
)
_CONSTANTS = {"pi": "pi", "infty": "infinity", "infinity": "infinity", "inf": "infinity", "oo": "infinity"}
_MARKS = frozenset({"checkmark", "blacksquare", "square", "qed", "Box", "hfill"})
_ALIASES = {
    "varphi": "\\phi",
    "varepsilon": "\\epsilon",
    "vartheta": "\\theta",
    "ell": "l",
    "imath": "i",
}
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<num>(?:\d{1,3}(?P<comma>,\d{3})+(?!\d)|\d{1,3}(?: \d{3})+(?![\d/])|\d+)"
    r"(?:\.\d+|\.(?!\.|\\overline))?"
    r"|\.\d+)(?P<exp>[eE][-+]?\d{1,4}(?![\w.]))?"
    r"|\\(?P<cmd>[a-zA-Z]+|.)"
    r"|(?P<letters>[a-zA-Z]+)"
    r"|(?P<op>\*\*|<=|>=|=<|=>|!=|==|->|[-+*/^_!'%=<>(){}\[\],;:|&?\"])"
)
_DOTTED = re.compile(r"(\d*)\.(\d*)\\(?:overline|bar|dot)\s*\{(\d+)\}")
_ELLIPSIS = re.compile(r"(\d*)\.(\d*?)(?:(\d)\3\3+|(\d{2,6})\4+)\s*(?:\.{3}|\\[lc]?dots(?![a-zA-Z])|\u2026)")
_BRACED = re.compile(r"\s*\{([^{}]*)\}")


class Token(NamedTuple):
    """One token, and whether a space stands before it."""

    kind: str
    value: str
    spaced: bool = False


def cut(text: str, grouped: bool = True) -> list[Token]:
    """Return the tokens of an answer in normal form.

    Args:
        text: see `tidy`.
        grouped: read 1,234 as one number; never inside brackets.

    Raises:
        TooComplex: too many tokens, or too long a number.
        Unreadable: a character that is not mathematics.
    """
    tokens: list[Token] = []
    place, depth, spaced = 0, 0, False
    while place < len(text):
        dotted = _DOTTED.match(text, place) or _ELLIPSIS.match(text, place)
        if dotted:
            repeated = dotted[3] or dotted[4]
            tokens.append(Token("num", f"{dotted[1]}.{dotted[2]}\\overline{{{repeated}}}", spaced))
            place, spaced = dotted.end(), False
            continue
        found = _TOKEN.match(text, place)
        if found is None:
            raise Unreadable(f"{text[place]!r} is not read as mathematics")
        place = found.end()
        kind, value = found.lastgroup, found.group()
        if kind == "space":
            spaced = True
            continue
        if kind in ("num", "exp", "comma"):
            if found["comma"] and not (grouped and depth == 0):
                place = found.start() + value.index(",")
                value = value[: value.index(",")]
            if len(value) > LONGEST_NUMBER:
                raise TooComplex(f"a number of more than {LONGEST_NUMBER} digits")
            tokens.append(Token("num", value.replace(",", "").replace(" ", ""), spaced))
        elif kind == "letters":
            after_value = bool(tokens) and (
                tokens[-1].kind == "num" or tokens[-1].value in (")", "}", "%", "}}")
            )
            tokens += _names(value, spaced, after_value, place == len(text))
        elif kind == "cmd":
            token, place = _command(found["cmd"], text, place, spaced)
            if (
                found["cmd"] == "text"
                and len(token) == 1
                and token[0].value in _SPACED_UNITS
                and _ends_value(tokens)
            ):
                token = [Token("word", token[0].value, spaced)]  # 12\text{ m}
            tokens += token
        else:
            tokens.append(
                Token("op", {"=<": "<=", "=>": ">=", "==": "=", "**": "^"}.get(value, value), spaced)
            )
        if tokens and tokens[-1].kind == "op":
            depth += (tokens[-1].value in ("(", "[", "{{")) - (tokens[-1].value in (")", "]", "}}"))
        spaced = False
        if len(tokens) > MOST_TOKENS:
            raise TooComplex(f"more than {MOST_TOKENS} tokens")
    return tokens


def _ends_value(tokens: list[Token]) -> bool:
    return bool(tokens) and (tokens[-1].kind == "num" or tokens[-1].value in (")", "}", "%", "}}"))


def _names(run: str, spaced: bool, after_value: bool, at_end: bool) -> list[Token]:
    """Read letters that stand together: a function, a word, or variables."""
    if run in _JOINED:
        return [Token("op", _JOINED[run], spaced)]
    if run in _CONSTANTS:
        return [Token("const", _CONSTANTS[run], spaced)]
    if run in FUNCTIONS:
        return [Token("func", run, spaced)]
    if run in GREEK:
        return [Token("sym", "\\" + run, spaced)]
    if run in ("mod", "in", "pm"):
        return [Token("op", {"pm": "±"}.get(run, run), spaced)]
    if len(run) == 1:
        if after_value and spaced and at_end and run in _SPACED_UNITS:
            return [Token("word", run, spaced)]
        return [_letter(run, spaced)]
    for joined in ("or", "and"):  # "1orx=2"
        if after_value and run.startswith(joined) and len(run) == len(joined) + 1:
            return [Token("op", joined), _letter(run[-1])]
    if after_value and run.lower() in _PERCENT:
        return [Token("op", "%", spaced)]
    if after_value and (run in UNITS or run.lower() in UNITS):
        return [Token("word", run, spaced)]
    if run.isupper():
        return [Token("sym", run, spaced)]
    if len(run) >= 4 and run[:-1] not in FUNCTIONS:
        return [Token("word", run, spaced)]
    for length in (3, 2):
        if run[:length] in FUNCTIONS:  # "sinx"
            return [Token("func", run[:length], spaced), *[_letter(letter) for letter in run[length:]]]
    return [_letter(letter, spaced and place == 0) for place, letter in enumerate(run)]


def _letter(letter: str, spaced: bool = False) -> Token:
    return Token("const" if letter in "ei" else "sym", letter, spaced)


def _command(name: str, text: str, place: int, spaced: bool) -> tuple[list[Token], int]:
    r"""Read a command and, of `\text{…}` and its like, what is in its braces."""
    if name in _OPERATORS:
        value = _OPERATORS[name]
        return ([Token("op", value, spaced)] if value else []), place
    if name in FUNCTIONS:
        return [Token("func", name, spaced)], place
    if name in _CONSTANTS:
        return [Token("const", _CONSTANTS[name], spaced)], place
    if name == "text":
        content = _BRACED.match(text, place)
        if not content:
            raise Unreadable(r"\text without its braces")
        return _text(content[1].strip(" ,.:;~"), spaced), content.end()
    if name in ("dots", "ldots", "cdots", "dotsc", "dotsb"):
        return [Token("sym", "\\dots", spaced)], place
    if name in _COMMANDS:
        return [Token("cmd", name, spaced)], place
    for prefix in ("qquad", "quad", "cdot", "times", "pi", "pm"):  # "\quadx", "\cdotx"
        rest = name.removeprefix(prefix)
        if rest != name and len(rest) == 1:
            before, _ = _command(prefix, text, place, spaced)
            return [*before, _letter(rest)], place
    if name in _MARKS:
        return [], place
    if name in _ALIASES:
        return [
            _letter(_ALIASES[name], spaced)
            if len(_ALIASES[name]) == 1
            else Token("sym", _ALIASES[name], spaced)
        ], place
    return [Token("sym", "\\" + name, spaced)], place


def _text(content: str, spaced: bool) -> list[Token]:
    if content.lower() in ("and", "or"):
        return [Token("op", content.lower(), spaced)]
    if content.lower() in _PERCENT:
        return [Token("op", "%", spaced)]
    if not content:
        return []
    if len(content) == 1 and content.isalpha():
        return [_letter(content, spaced)]
    if content in FUNCTIONS:
        return [Token("func", content, spaced)]
    if content == "i" or content == "mod":
        return [Token("op", content, spaced)]
    if content.replace(".", "", 1).isdecimal():
        return [Token("num", content, spaced)]
    return [Token("word", content, spaced)]
