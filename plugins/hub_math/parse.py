r"""Reads an answer into its tree: LaTeX and plain notation, by one recursive descent without backtracking.

Nothing is evaluated here. Depth and the number of tokens are limited before anything else is looked at.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from hub_math.tokens import Token, cut
from hub_math.tree import EMPTY, Node, TooComplex, Unreadable, number

DEEPEST = 60
"""Brackets, fractions and exponents inside each other."""

_RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "~", "->", "in"})
_SEPARATORS = frozenset({",", ";", "and", "or"})
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "{{": ("}}",)}
_ACCENTS = frozenset(
    "overline bar vec hat tilde overrightarrow widehat underline mathcal mathscr mathfrak overarc "
    "widetilde".split()
)
_MATRICES = frozenset("matrix pmatrix bmatrix Bmatrix smallmatrix array vmatrix Vmatrix".split())
_LISTS = frozenset(
    "cases aligned align align* gathered gather gather* split equation equation* rcases".split()
)
_INVERSES = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"}
_RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
            "atanh": "arctanh", "sgn": "sign"}  # fmt: skip
_APPLIED = frozenset("fghFGHPW")
_DOTTED = re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}")
_END = Token("end", "")


def parse(text: str, grouped: bool = True) -> Node:
    """Read an answer in normal form.

    Args:
        text: see `tidy`.
        grouped: 1,234 is one number.

    Raises:
        TooComplex: it is past a limit.
        Unreadable: it is not mathematics as this parser knows it.
    """
    reader = _Reader(cut(text, grouped))
    found = reader.items()
    if reader.peek() is not _END:
        raise Unreadable(f"{reader.peek().value!r} is not expected there")
    return found


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth, self.bars = tokens, 0, 0, 0

    # Tokens

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else _END

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def sees(self, *values: str) -> bool:
        token = self.peek()
        return token.kind == "op" and token.value in values

    def take(self, *values: str) -> Token | None:
        return self.next() if self.sees(*values) else None

    def need(self, *values: str) -> None:
        if not self.take(*values):
            raise Unreadable(f"{values[0]!r} is missing before {self.peek().value!r}")

    # Lists and statements

    def items(self, *closers: str) -> Node:
        """Read what separators part, up to a closing bracket or the end; one item is itself."""
        groups: list[list[Node]] = [[]]
        parted = {token.value for token in self.tokens[self.at :] if token.kind == "op"} & {",", ";"}
        while True:
            while self.sees(*_SEPARATORS):
                if self.next().value == ";" and len(parted) == 2 and groups[-1]:
                    groups.append([])
            if self.peek() is _END or self.sees(*closers) or self._at_close():
                break
            groups[-1].append(self.statement())
            if not (
                self.sees(*_SEPARATORS) or self.sees(*closers) or self.peek() is _END or self._at_close()
            ):
                break
        kept = [group for group in groups if group]
        if len(kept) > 1:
            return Node(
                "list", tuple(group[0] if len(group) == 1 else Node("list", tuple(group)) for group in kept)
            )
        found = kept[0] if kept else []
        if not found:
            if closers:
                return Node("list", ())
            raise Unreadable("there is nothing to read")
        return found[0] if len(found) == 1 else Node("list", tuple(found))

    def _at_close(self) -> bool:
        return self.sees(")", "]", "}", "}}", "|)", "newline", "&") or (self.bars > 0 and self.sees("|"))

    def statement(self) -> Node:
        """Read an expression, or several in relation to each other."""
        left = self.sets()
        operators, sides = [], [left]
        while self.sees(*_RELATIONS):
            operators.append(self.next().value)
            if self.peek() is _END and operators[-1] == "=":  # "2 + 2 ="
                operators.pop()
                break
            sides.append(self.sets())
        if not operators:
            return left
        if operators == ["in"]:
            return Node("member", (left, sides[1]))
        return Node("rel", (tuple(operators), *sides))

    def sets(self) -> Node:
        """Read a union, difference or intersection of sets, or a ratio."""
        left = self.sum()
        while self.sees("cup", "cap", "\\", ":"):
            operator = self.next().value
            kind = {"cup": "union", "cap": "meet", "\\": "without", ":": "ratio"}[operator]
            right = self.sum()
            joins = left.kind == kind and kind in ("union", "ratio")
            left = Node(kind, (*left.args, right) if joins else (left, right))
        return left

    # Expressions

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooComplex(f"brackets deeper than {DEEPEST}")
        terms = []
        sign = self.take("+", "-", "±", "∓")
        while True:
            term = self.term()
            if sign and sign.value != "+":
                term = (
                    Node("neg", (term,))
                    if sign.value == "-"
                    else Node("plusminus", (sign.value == "±", term))
                )
            terms.append(term)
            sign = self.take("+", "-", "±", "∓")
            if not sign:
                break
        self.depth -= 1
        if len(terms) == 1:
            return terms[0]
        if terms[-1].kind == "quantity" and not any(term.kind == "quantity" for term in terms[:-1]):
            value, unit = terms[-1].args
            return Node("quantity", (Node("add", (*terms[:-1], value)), unit))
        return Node("add", tuple(terms))

    def term(self) -> Node:
        left = self.factor()
        while True:
            if self.take("*"):
                left = _product(left, self.factor())
            elif self.take("/"):
                left = Node("div", (left, self.factor()))
            elif self.take("mod"):
                left = Node("mod", (left, self.factor()))
            elif self.peek() == ("cmd", "pmod", self.peek().spaced):
                self.next()
                self.group()
            elif self.peek().kind == "word":
                left = self.with_unit(left)
            elif self.peek() == ("cmd", "over", self.peek().spaced):
                self.next()
                left = Node("div", (left, self.sum()))
            elif self.starts_factor():
                left = self.beside(left)
            else:
                return left

    def with_unit(self, value: Node) -> Node:
        """Read the words after a value as its unit."""
        unit: list[str] = []
        while self.peek().kind == "word" or (
            unit and self.peek().kind == "sym" and len(self.peek().value) > 1
        ):
            unit.append(self.next().value)
            if self.take("^"):
                unit.append(str(self.group().args[0]))
            while self.take("/", "*") and self.peek().kind in ("word", "sym"):
                unit.append("/" + self.next().value)
        return Node("quantity", (value, " ".join(unit)))

    def starts_factor(self) -> bool:
        token = self.peek()
        if token.kind in ("num", "sym", "const", "func"):
            return True
        if token.kind == "cmd":
            return token.value not in ("end", "circ", "degree", "over", "pmod", "rfloor", "rceil")
        return token.value in ("(", "[", "{", "{{", "|(") or (token.value == "|" and not self.bars)

    def beside(self, left: Node) -> Node:
        """Read a factor that stands beside another: a product, or the fraction of a mixed number."""
        before = self.tokens[self.at - 1]
        whole = left.kind == "num" and before.kind == "num" and not left.args[1]
        if whole and (self.peek().kind == "num" or self.peek()[:2] == ("cmd", "frac")):
            right = self.factor()
            if right.kind == "num" and self.take("/"):
                right = Node("div", (right, self.factor()))
            if right.kind == "div" and _is_proper(right):
                return Node("add", (left, right))
            if right.kind != "div" and right.kind != "pow":
                raise Unreadable("two numbers beside each other")
            return _product(left, right)
        if self.peek().kind == "num" and left.kind in ("num", "div") and before.kind == "num":
            raise Unreadable("two numbers beside each other")
        return _product(left, self.factor())

    def factor(self) -> Node:
        sign = self.take("-", "+", "±")
        if sign:
            self.depth += 1
            if self.depth > DEEPEST:
                raise TooComplex(f"signs deeper than {DEEPEST}")
            operand = self.factor()
            self.depth -= 1
            if sign.value == "±":
                return Node("plusminus", (True, operand))
            return Node("neg", (operand,)) if sign.value == "-" else operand
        return self.postfix(self.primary())

    def postfix(self, value: Node) -> Node:
        while True:
            if self.take("^"):
                value = self.power(value)
            elif self.take("!"):
                value = Node("factorial", (value,))
            elif self.take("%"):
                value = Node("percent", (value,))
            elif self.peek().kind == "cmd" and self.peek().value in ("circ", "degree"):
                self.next()
                value = Node("degree", (value,))
            elif self.sees("'") and value.kind in ("sym", "apply"):
                self.next()
                value = Node("sym", (value.args[0] + "'",)) if value.kind == "sym" else value
            else:
                return value

    def power(self, base: Node) -> Node:
        """Read the exponent after `^`; degrees, primes and the "th" of ordinals are no powers."""
        braced = self.sees("{")
        inner = self.peek(1 if braced else 0)
        if inner.kind == "cmd" and inner.value in ("circ", "degree"):
            self.at += 3 if braced else 1
            return Node("degree", (base,))
        if inner.value == "'":
            self.at += 3 if braced else 1
            return Node("sym", (str(base.args[0]) + "'",))
        if inner.kind == "word" or (inner.value == "t" and self.peek(2).value == "h"):
            while self.next().value != "}" and self.peek() is not _END:
                pass
            return base
        if braced:
            return Node("pow", (base, self.group()))
        sign = self.take("-", "+")
        exponent = self.postfix(self.primary())  # 2^3^2 is 2^(3^2)
        return Node("pow", (base, Node("neg", (exponent,)) if sign and sign.value == "-" else exponent))

    # What stands for itself

    def primary(self) -> Node:
        token = self.next()
        if token.kind == "num":
            return self.based(token) if self.sees("_") else _read_number(token.value)
        if token.kind == "const":
            return self.subscript(Node("const", (token.value,)))
        if token.kind == "sym":
            return self.applied(self.subscript(Node("sym", (token.value,))), token)
        if token.kind == "func":
            return self.function(_RENAMED.get(token.value, token.value))
        if token.kind == "cmd":
            return self.command(token.value)
        if token.kind == "op":
            return self.bracket(token.value)
        if token.kind == "word" and self.at == 1 and self.sees("="):  # "area = 5"
            return Node("sym", (token.value,))
        raise Unreadable(f"{token.value!r} is not mathematics" if token.value else "something is missing")

    def bracket(self, opened: str) -> Node:
        if opened in _CLOSERS:
            bars, self.bars = self.bars, 0
            found = self.items(*_CLOSERS[opened], "|") if opened == "{{" else self.items(*_CLOSERS[opened])
            if opened == "{{" and self.take("|"):
                found = Node("builder", (found, self.items("}}")))
            closed = self.next().value
            self.bars = bars
            if closed not in _CLOSERS[opened]:
                raise Unreadable(f"{opened!r} is not closed")
            if opened == "{":
                return found
            if opened == "{{":
                return _as_set(found)
            if found.kind == "list":
                return Node("seq", (opened, closed, *found.args))
            return found
        if opened in ("|", "|("):
            self.bars += opened == "|"
            bars, self.bars = self.bars, self.bars if opened == "|" else 0
            found = self.sum()
            self.bars = bars - (opened == "|")
            self.need("|" if opened == "|" else "|)")
            return Node("call", ("abs", found))
        if opened == "]":  # ]a, b[
            found = self.items("[", "]")
            closed = self.next().value
            if closed not in ("[", "]") or found.kind != "list":
                raise Unreadable("']' opens nothing")
            return Node("seq", ("(", ")" if closed == "[" else "]", *found.args))
        raise Unreadable(f"{opened!r} is not expected there")

    def group(self) -> Node:
        """Read the argument of a command: what is in braces, else one token (of a number, one digit)."""
        if self.take("{"):
            bars, self.bars = self.bars, 0
            found = self.items("}")
            self.bars = bars
            self.need("}")
            return found
        token = self.peek()
        if token.kind == "num" and len(token.value) > 1 and token.value.isdecimal():
            self.tokens[self.at] = Token("num", token.value[1:])
            return number(int(token.value[0]))
        if self.sees("-"):
            self.next()
            return Node("neg", (self.group(),))
        return self.primary()

    def based(self, token: Token) -> Node:
        self.next()
        base = self.group()
        if base.kind != "num":
            raise Unreadable("a number with an index that is no base")
        return Node("based", (token.value.lstrip("0") or "0", int(base.args[0])))

    def subscript(self, name: Node) -> Node:
        """Read `_…`: part of a variable's name, or the place in a sequence (a_n, F_{n-k})."""
        if not self.sees("_"):
            return name
        start = self.at
        self.next()
        try:
            index = self.group()
        except Unreadable:
            index = None
            self.at = start + 1
        label = name.args[0]
        if index is None or index.kind in ("num", "const", "list", "word") or _is_name(index):
            if index is None:
                self.skip_group()
            spelled = "".join(token.value for token in self.tokens[start + 1 : self.at])
            return Node("sym", (f"{label}_{spelled.strip('{}')}",))
        return Node("at", (label, index))

    def skip_group(self) -> None:
        depth = 0
        while self.peek() is not _END:
            value = self.next().value
            depth += (value == "{") - (value == "}")
            if depth <= 0:
                return

    def applied(self, name: Node, token: Token) -> Node:
        """Read f(x) as the function f, where f names one; elsewhere a bracket multiplies."""
        if name.kind != "sym" or not self.sees("(") or self.peek().spaced:
            return name
        plain = name.args[0].rstrip("'")
        if plain[:1] not in _APPLIED or len(plain.split("_")[0]) > 1:
            closing = self._closing()
            starts = self.at == 1 or self.tokens[self.at - 2].value in (",", "and", "or", ";")
            after = self.tokens[closing + 1] if closing and closing + 1 < len(self.tokens) else _END
            if not (starts and closing and after.value == "=" and len(token.value) == 1):
                return name
        self.next()
        found = self.items(")")
        self.need(")")
        arguments = found.args if found.kind == "list" else (found,)
        return Node("apply", (name.args[0], *arguments))

    def _closing(self) -> int | None:
        depth = 0
        for place in range(self.at, len(self.tokens)):
            depth += (self.tokens[place].value == "(") - (self.tokens[place].value == ")")
            if depth == 0:
                return place
        return None

    def function(self, name: str) -> Node:
        base = power = None
        if name == "sqrt":
            return self.root()
        if self.take("_"):
            base = self.group()
        if self.take("^"):
            power = self.group()
            if name in _INVERSES and power in (number(-1), Node("neg", (number(1),))):
                name, power = "arc" + name, None
        if not base and self.take("_"):
            base = self.group()
        node = self.call(name, base, self.argument())
        return Node("pow", (node, power)) if power else node

    def call(self, name: str, base: Node | None, argument: Node) -> Node:
        if name in ("log", "lg"):
            return Node("log", (base or (number(10) if name == "lg" else Node("const", ("log",))), argument))
        if name == "exp":
            return Node("pow", (Node("const", ("e",)), argument))
        if name == "factorial":
            return Node("factorial", (argument,))
        if name == "det" and argument.kind == "matrix":
            return Node("call", ("det", argument))
        arguments = argument.args if argument.kind == "list" else (argument,)
        return Node("call", (name, *arguments))

    def argument(self) -> Node:
        """Read a function's argument: a bracket, or the factors up to the next function or sign."""
        if self.take("("):
            bars, self.bars = self.bars, 0
            found = self.items(")", "]")
            self.bars = bars
            self.need(")", "]")
            return found
        if self.sees("-"):
            self.next()
            return Node("neg", (self.argument(),))
        if self.sees("{"):
            return self.group()
        found = self.postfix(self.primary())
        while self.starts_factor() and self.peek().kind != "func" and not self.sees("(", "[", "{{"):
            found = _product(found, self.postfix(self.primary()))
        if self.sees("/") and self.peek(1).kind == "num":
            self.next()
            found = Node("div", (found, self.primary()))
        return found

    def root(self) -> Node:
        index = number(2)
        if self.take("["):
            index = self.items("]")
            self.need("]")
        if self.peek().kind == "num":
            return Node("root", (index, self.primary()))
        if self.take("("):
            found = self.items(")")
            self.need(")")
            return Node("root", (index, found))
        return Node("root", (index, self.group()))

    # LaTeX commands

    def command(self, name: str) -> Node:
        made: dict[str, Callable[[], Node]] = {
            "frac": lambda: Node("div", (self.group(), self.group())),
            "sqrt": self.root,
            "begin": self.environment,
            "emptyset": lambda: EMPTY,
            "varnothing": lambda: EMPTY,
            "mathbb": lambda: Node("sym", ("\\mathbb" + str(self.group().args[0]),)),
            "lfloor": lambda: self.enclosed("floor", "rfloor"),
            "lceil": lambda: self.enclosed("ceil", "rceil"),
            "boxed": self.group,
        }
        if name in made:
            return made[name]()
        if name in ("binom", "dbinom", "tbinom"):
            return Node("binomial", (self.group(), self.group()))
        if name in _ACCENTS:
            return self.accent(name)
        if name in ("sum", "prod"):
            return self.big(name)
        if name in ("int", "iint", "iiint", "oint", "lim"):
            return self.opaque(name)
        raise Unreadable(f"\\{name} is not read there")

    def accent(self, name: str) -> Node:
        start = self.at
        self.skip_group()
        spelled = "".join(token.value for token in self.tokens[start : self.at]).strip("{}")
        return self.subscript(Node("sym", (spelled if name == "mathcal" else f"{name} {spelled}",)))

    def enclosed(self, function: str, closer: str) -> Node:
        found = self.sum()
        if self.next()[:2] != ("cmd", closer):
            raise Unreadable(f"\\{closer} is missing")
        return Node("call", (function, found))

    def environment(self) -> Node:
        name = self.name_of_environment()
        if name == "array" and self.sees("{"):
            self.skip_group()
        if name not in _MATRICES and name not in _LISTS:
            raise Unreadable(f"the environment {name} is not read")
        rows: list[list[Node]] = [[]]
        while self.peek()[:2] != ("cmd", "end"):
            if self.peek() is _END:
                raise Unreadable(f"\\end{{{name}}} is missing")
            if self.take("newline"):
                rows.append([])
            elif self.sees("&") or self.sees(*_SEPARATORS):
                self.next()
            else:
                rows[-1].append(self.statement())
        self.next()
        self.name_of_environment()
        kept = [row for row in rows if row]
        if name in _LISTS:
            return Node("list", tuple(row[0] if len(row) == 1 else Node("list", tuple(row)) for row in kept))
        matrix = Node("matrix", tuple(Node("row", tuple(row)) for row in kept))
        return Node("call", ("det", matrix)) if name == "vmatrix" else matrix

    def name_of_environment(self) -> str:
        self.need("{")
        name = ""
        while not self.sees("}"):
            if self.peek() is _END:
                raise Unreadable("an environment without a name")
            name += self.next().value
        self.next()
        return name

    def bounds(self) -> tuple[Node | None, Node | None]:
        low = high = None
        for _ in range(2):
            if self.take("_"):
                self.need("{") if self.sees("{") else None
                low = self.statement() if self.tokens[self.at - 1].value == "{" else self.group()
                self.take("}")
            elif self.take("^"):
                high = self.group()
        return low, high

    def big(self, name: str) -> Node:
        low, high = self.bounds()
        body = self.term()
        if (
            low
            and high
            and low.kind == "rel"
            and low.args[0] == ("=",)
            and low.args[1].kind in ("sym", "const")
        ):
            return Node("big", (name, Node("sym", low.args[1].args), low.args[2], high, body))
        return Node("opaque", (name, *(part for part in (low, high, body) if part)))

    def opaque(self, name: str) -> Node:
        low, high = self.bounds()
        return Node("opaque", (name, *(part for part in (low, high, self.term()) if part)))


def _read_number(text: str) -> Node:
    repeating = _DOTTED.fullmatch(text)
    if repeating:
        whole, fixed, repeated = repeating.groups()
        nines = 10 ** len(repeated) - 1
        part = Fraction(int(repeated), nines * 10 ** len(fixed))
        return number(int(whole or 0) + Fraction(int(fixed or 0), 10 ** len(fixed)) + part)
    if text.isdecimal():
        return Node("num", (Fraction(int(text)), False))
    return Node("num", (Fraction(text.rstrip(".")), "." in text.rstrip(".") or "e" in text.lower()))


def _product(left: Node, right: Node) -> Node:
    return Node("mul", (*left.args, right) if left.kind == "mul" else (left, right))


def _is_proper(fraction: Node) -> bool:
    above, below = fraction.args
    if above.kind != "num" or below.kind != "num" or above.args[1] or below.args[1]:
        return False
    return bool(0 < above.args[0] < below.args[0])


def _is_name(node: Node) -> bool:
    """Whether an index is part of a name: v_max, AB, but not n or n-1."""
    if node.kind == "sym":
        return len(node.args[0]) > 1 or node.args[0].isupper()
    return (
        node.kind == "mul" and len(node.args) > 2 and all(part.kind in ("sym", "const") for part in node.args)
    )


def _as_set(found: Node) -> Node:
    if found.kind == "builder":
        return found
    if found.kind == "ratio" and found.args[0].kind == "sym":
        return Node("builder", (found.args[0], found.args[1]))
    if found.kind == "rel" and found.args[1].kind == "ratio" and found.args[1].args[0].kind == "sym":
        operators, ratio, *others = found.args
        return Node("builder", (ratio.args[0], Node("rel", (operators, ratio.args[1], *others))))
    return Node("set", found.args if found.kind == "list" else (found,))
