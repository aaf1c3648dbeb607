r"""Normal-form text: an answer without what means nothing (spacing, sizes, styles, dollar signs).

What is left is LaTeX or plain notation in one spelling, so that most answers that are equal are now equal as
text, and the tokenizer has fewer cases.
"""

import re
import unicodedata

LONGEST = 2_000
"""Characters of an answer that is read as mathematics; a longer one can only be equal as text."""

_SIGNS = str.maketrans(
    {
        "\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\ufe63": "-", "\uff0d": "-",
        "\u00d7": r"\times ", "\u00b7": r"\cdot ", "\u22c5": r"\cdot ", "\u2217": "*", "\u00f7": "/",
        "\u2215": "/", "\u2044": "/", "\u2236": ":",
        "\u03c0": r"\pi ", "\u00b0": r"^\circ ", "\u221e": r"\infty ", "\u221a": r"\sqrt ",
        "\u2264": r"\le ", "\u2265": r"\ge ", "\u2260": r"\ne ", "\u2248": r"\approx ", "\u2208": r"\in ",
        "\u2216": r"\setminus ",
        "\u222a": r"\cup ", "\u2229": r"\cap ", "\u2205": r"\emptyset ", "\u00b1": r"\pm ",
        "\u211d": r"\mathbb{R}", "\u2124": r"\mathbb{Z}", "\u03b1": r"\alpha ", "\u03b2": r"\beta ",
        "\u03b8": r"\theta ", "\u03bb": r"\lambda ", "\u2220": r"\angle ",
        **{chr(0x2080 + digit): f"_{{{digit}}}" for digit in range(10)},
        **{
            letter: "\\" + name + " "
            for letter, name in zip(
                "\u03b3\u03b4\u03b5\u03bc\u03c1\u03c3\u03c4\u03c6\u03c9\u0394\u03a9\u03d5",
                "gamma delta epsilon mu rho sigma tau phi omega Delta Omega phi".split(),
                strict=True,
            )
        },
        "\u2115": r"\mathbb{N}", "\u211a": r"\mathbb{Q}", "\u2102": r"\mathbb{C}", "\u221b": r"\cbrt ",
        "\u25b3": r"\triangle ", "\u207b": "^{-}",
        "\u2070": "^{0}", "\u00b9": "^{1}", "\u00b2": "^{2}", "\u00b3": "^{3}", "\u2074": "^{4}",
        "\u2075": "^{5}", "\u2076": "^{6}", "\u2077": "^{7}", "\u2078": "^{8}", "\u2079": "^{9}",
        "\u2018": "'", "\u2019": "'", "\u2032": "'", "\u201c": '"', "\u201d": '"', "\u3002": ".",
        "\u20ac": r"\$", "\u00a3": r"\$", "\u00a5": r"\$",
        "\u00bd": r"\frac{1}{2}", "\u00bc": r"\frac{1}{4}", "\u00be": r"\frac{3}{4}",
        "\u2153": r"\frac{1}{3}", "\u2154": r"\frac{2}{3}",
    }
)  # fmt: skip

_KNOWN = (
    "frac|dfrac|tfrac|cfrac|sqrt|begin|end|left|right|pi|infty|text|mathrm|cdot|times|pm|"
    "cup|cap|circ|quad|sin|cos|tan|log|ln|boxed|alpha|beta|theta|sum|binom|overline|angle"
)
_RELATIONS = "le|leq|ge|geq|ne|neq|lt|gt|in|approx"
_DOUBLED = re.compile(rf"(?<!\\)\\\\(?=(?:{_KNOWN})(?![a-zA-Z]))")
_DOUBLED_RELATION = re.compile(rf"(?<!\\)\\\\(?=(?:{_RELATIONS})(?![a-zA-Z]))")
_DROPPED = re.compile(
    r"\\(?:left|right)\s*\.|\\(?:left|right|[bB]ig{1,2}[lrm]?|displaystyle|textstyle|limits|nolimits|noindent"
    r"|hfill|notag|nonumber|mathstrut|strut|allowbreak|nobreak)(?![a-zA-Z])|\\(?:label|tag|vspace|hspace)\*?\{[^{}]*\}"
)
_MONEY = re.compile(r"\\?\$")
_FRACTION = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_STYLE = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|sc|normal|md|up|sl)?|math(?:rm|bf|it|sf|tt|normal)|mbox|hbox|fbox|operatorname"
    r"|boldsymbol|bm|pmb|emph)\*?\s*(?=\{)"
)
_THOUSANDS = re.compile(r"(?<=\d)(?:\s?\{,\s?\}|,\\!\s*|\\,|\\!|\\ |\\thinspace ?)(?=\d{3}(?!\d))")
_SPACES = re.compile(r"(?:\\[,;:!>]|(?<!\\)\\(?=\s)|\\(?:q?quad|thinspace|enspace|space)(?![a-wyz])|~|\s)+")
_LOOSE = re.compile(r"(?<![0-9A-Za-z.}\])])(?<!\d,) | (?![0-9A-Za-z.\\({\[])|(?<=\d,) (?!\d{3}(?!\d))")
_SUPERSCRIPT = re.compile(r"(?<=[-\d])\}\^\{(?=\d)")
_SET_MINUS = re.compile(r"(\\mathbb\s*\{?R\}?)\s*\\\s*(?=\\?\{)")
_COLOR = re.compile(r"\\(?:text)?color\s*\{[^{}]*\}")
_TEMPERATURE = re.compile(r"\^\s*\{?\\circ\}?\s*(?:\\(?:text|mathrm)\s*\{)?\s*[CF]\}?$")
_RAISED = frozenset("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b")
_OUTWARD = re.compile(r"([\[\]])([^\[\](){}]{1,200}[,;][^\[\](){}]{1,200})([\[\]])")
_EUROPEAN = re.compile(r"-?\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d{1,2})")
_OPEN_SYSTEM = re.compile(r"\\\{\s*(?=\\begin\{(?:array|aligned|cases|gathered|matrix)\})")
_DECLARED = re.compile(r"\(\s*([a-z])\s*\\in\s*(\\mathbb\s*\{?[ZN]\}?)\s*\)")
_WHOLE_TEXT = re.compile(r"\\text\{([^{}\\$]*)\}")
_FORMULA = re.compile(
    r"\s*(?:\$\$(?P<a>.*)\$\$|\\\[(?P<b>.*)\\\]|\\\((?P<c>.*)\\\)|\$(?P<d>[^$]*)\$)[.,;]?\s*", re.DOTALL
)


def tidy(text: str, is_reference: bool = False) -> str:
    r"""Return the normal form of an answer.

    A doubled backslash before a command is mended, as data sets have them; before a relation only in a
    reference, for in a completion that is a line break.

    >>> tidy(r" $\left( \dfrac{1}{2}, \; 3\,400 \right)$. ")
    '(\\frac{1}{2},3400)'
    """
    if text.isalnum() and text.isascii():
        return text
    if not text.isascii():
        text = _fold(text)
    text = without_dollars(text).strip("*`")
    if "\\" in text:
        text = _SET_MINUS.sub(r"\1\\setminus ", text)
        if "\\\\begin" in text:
            text = text.replace("\\\\", "\\")
        if "\\\\" in text:
            text = _DOUBLED.sub(r"\\", text)
            text = _DOUBLED_RELATION.sub(r"\\", text) if is_reference else text
        if text.count("\\{") > text.count("\\}"):
            text = _OPEN_SYSTEM.sub("", text)
        declared = text.rfind("(") if text.endswith(")") and "\\in" in text else -1
        if declared > 0 and (found := _DECLARED.fullmatch(text, declared)):
            text = f"{text[:declared].rstrip()}, {found[1]} \\in {found[2]}"
        text = _COLOR.sub("", text) if "color" in text else text
        text = _TEMPERATURE.sub(r"^\\circ", text)
        text = _FRACTION.sub(r"\\frac", _DROPPED.sub("", text))
        text = text.replace("\\bigtriangleup", "\\triangle")
        text = _STYLE.sub(r"\\text", text)
    if "\\" in text or "{," in text:
        text = _THOUSANDS.sub("", text)
    if "$" in text:
        text = _MONEY.sub("", text)
    if "]" in text or "[" in text:
        text = _OUTWARD.sub(_inward, text)
    if _EUROPEAN.fullmatch(text.strip()):
        text = text.replace(".", "").replace(",", ".")
    text = _SPACES.sub(" ", text)
    text = _LOOSE.sub("", text).strip()
    if "\\text" in text:
        whole = _WHOLE_TEXT.fullmatch(text)
        text = whole[1].strip() if whole else text
    if text.endswith("..."):
        return text
    return text.rstrip("\\").rstrip(".,;:").strip()


def _inward(found: re.Match[str]) -> str:
    """Turn the brackets of ]0, 1[ round."""
    left, inside, right = found.groups()
    if left == "[" and right == "]":
        return found.group()
    return ("(" if left == "]" else "[") + inside + (")" if right == "[" else "]")


def without_dollars(text: str) -> str:
    r"""Return a formula out of its `$`, `$$`, `\(` or `\[`, where one pair holds all of it."""
    text = text.strip()
    if text[:1] not in ("$", "\\"):
        return text
    whole = _FORMULA.fullmatch(text)
    if not whole:
        return text
    inner = whole[whole.lastgroup or 0]
    if "\\(" in inner or "\\[" in inner or (whole.lastgroup == "a" and "$$" in inner):
        return text
    return inner.strip()


def key(text: str) -> str:
    """Return what words are compared by: letters and digits, without case, spaces and marks."""
    text = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text)
    return re.sub(r"[\s.,'\"()*\u200b-]+", "", text).casefold()


def _fold(text: str) -> str:
    """Return text with signs as LaTeX writes them, plain digits, and nothing invisible."""
    raised = any(character in _RAISED for character in text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = _SUPERSCRIPT.sub("", text) if raised else text
    if text.isascii():
        return text
    kept = []
    for character in text:
        if character.isdecimal():
            kept.append(str(unicodedata.decimal(character)))
        elif unicodedata.category(character) not in ("Cf", "Cs"):
            kept.append(character)
    return "".join(kept)
