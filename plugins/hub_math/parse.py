r"""Reads an answer into its tree: LaTeX and plain notation, by one recursive descent without backtracking.

Nothing is evaluated here. Depth and the number of tokens are limited before anything else is looked at.
"""

import re
from fractions import Fraction

from hub_math.names import SEPARATORS, NameReader, label_of, product
from hub_math.reader import END
from hub_math.tokens import Token, cut
from hub_math.tree import Node, TooComplex, Unreadable, number

DEEPEST = 40
"""Brackets, fractions and exponents inside each other."""
DEEPEST_TREE = 80
"""Nodes inside each other, those of a chain like 1/2/2/2 too."""

_RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "~", "->", "in"})
_CLOSERS = {"(": (")", "]"), "[": ("]", ")"), "{": ("}",), "{{": ("}}",)}
_RENAMED = {
    **{name: "arc" + name[1:] for name in "asin acos atan asinh acosh atanh".split()},
    **{"ar" + name: "arc" + name for name in "sinh cosh tanh".split()},
    "sgn": "sign",
    "tg": "tan",
    "ctg": "cot",
    "cotg": "cot",
    "arctg": "arctan",
    "arcctg": "arccot",
    "sh": "sinh",
    "ch": "cosh",
    "th": "tanh",
    "cth": "coth",
    "cosec": "csc",
    "cosech": "csch",
}
_NO_UNIT = frozenset(
    "is are not or more less than least most if unless wrong right except but plus minus times maybe "
    "perhaps".split()
)
_MAGNITUDES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_COMBINATIONS = re.compile(r"C_(\d{1,4})")
_DOTTED = re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}")


def parse(text: str, grouped: bool = True) -> Node:
    """Read an answer in normal form.

    Args:
        text: see `tidy`.
        grouped: 1,234 is one number.

    Raises:
        TooComplex: it is past a limit.
        Unreadable: it is not mathematics as this parser knows it.
    """
    reader = _Parser(cut(text, grouped))
    found = reader.items()
    if reader.peek() is not END:
        raise Unreadable(f"{reader.peek().value!r} is not expected there")
    _check_depth(found)
    return found


def _check_depth(tree: Node) -> None:
    level, depth = [tree], 0
    while level:
        level = [arg for node in level for arg in node.args if type(arg) is Node]
        depth += 1
        if depth > DEEPEST_TREE:
            raise TooComplex(f"more than {DEEPEST_TREE} nodes inside each other")


class _Parser(NameReader):
    def items(self, *closers: str) -> Node:
        """Read what separators part, up to a closing bracket or the end; one item is itself."""
        groups: list[list[Node]] = [[]]
        joined: set[str] = set()
        parted = {token.value for token in self.tokens[self.at :] if token.kind == "op"} & {",", ";"}
        while True:
            while self.sees(*SEPARATORS):
                joined.add(self.peek().value)
                if self.next().value == ";" and len(parted) == 2 and groups[-1]:
                    groups.append([])
            if self.peek() is END or self.sees(*closers) or self._at_close():
                break
            groups[-1].append(self.statement())
            if not (self.sees(*SEPARATORS) or self.sees(*closers) or self.peek() is END or self._at_close()):
                break
        kept = [group for group in groups if group]
        if len(kept) > 1:
            return Node(
                "list", tuple(group[0] if len(group) == 1 else Node("list", tuple(group)) for group in kept)
            )
        found = kept[0] if kept else []
        if joined == {"and"} and found and all(_is_inequality(item) for item in found):
            return Node("meet", tuple(found))
        if not found:
            if closers:
                return Node("list", ())
            raise Unreadable("there is nothing to read")
        return found[0] if len(found) == 1 else Node("list", tuple(found))

    def _at_close(self) -> bool:
        return self.sees(")", "]", "}", "}}", "|)", "newline", "&") or (self.bars > 0 and self.sees("|"))

    def statement(self) -> Node:
        """Read an expression, or several in relation to each other."""
        self.take("=", "≈", "->")
        left = self.sets()
        operators, sides = [], [left]
        while self.sees(*_RELATIONS):
            operators.append(self.next().value)
            if self.peek() is END and operators[-1] == "=":  # "2 + 2 ="
                operators.pop()
                break
            sides.append(self.sets())
        if not operators:
            return left
        if operators == ["in"]:
            return Node("member", (left, sides[1]))
        for place, side in enumerate(sides[1:-1], 1):
            if side.kind == "union" and len(side.args) == 2:  # x < 1 \cup x > 2
                halves = (
                    (operators[:place], [*sides[:place], side.args[0]]),
                    (operators[place:], [side.args[1], *sides[place + 1 :]]),
                )
                return Node("union", tuple(Node("rel", (tuple(signs), *parts)) for signs, parts in halves))
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

    def sum(self) -> Node:
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
                left = product(left, self.factor())
            elif self.take("/"):
                left = Node("div", (left, self.factor()))
            elif self.take("mod"):
                left = Node("mod", (left, self.factor()))
            elif self.peek()[:2] == ("cmd", "pmod"):
                self.next()
                left = Node("modulo", (left, self.group()))
            elif self.sees("(") and self.peek(1).value == "mod":
                self.at += 2
                left = Node("modulo", (left, self.sum()))
                self.need(")")
            elif self.peek().kind == "word":
                left = self.with_unit(left)
            elif self.peek()[:2] == ("cmd", "choose"):
                self.next()
                left = Node("binomial", (left, self.sum()))
            elif self.peek()[:2] == ("cmd", "over"):
                self.next()
                left = Node("div", (left, self.sum()))
            elif self.starts_factor():
                left = self.beside(left)
            else:
                return left

    def with_unit(self, value: Node) -> Node:
        """Read the words after a value as its unit."""
        unit: list[str] = []
        while self.peek().kind == "word" and self.peek().value.lower() in _MAGNITUDES:  # 3 million
            value = product(value, number(10 ** _MAGNITUDES[self.next().value.lower()]))
        if self.peek().kind != "word":
            return value
        while self.peek().kind == "word" or (
            unit and self.peek().kind == "sym" and len(self.peek().value) > 1
        ):
            unit.append(self.next().value)
            if self.take("^"):
                unit.append(label_of(self.group()))
            while self.take("/", "*") and self.peek().kind in ("word", "sym"):
                unit.append("/" + self.next().value)
        if not _NO_UNIT.isdisjoint(word.lower() for part in unit for word in part.split()):
            raise Unreadable(f"{' '.join(unit)!r} is no unit")
        return Node("quantity", (value, " ".join(unit)))

    def starts_factor(self) -> bool:
        token = self.peek()
        if token.kind in ("num", "sym", "const", "func"):
            return True
        if token.kind == "cmd":
            return token.value not in ("end", "circ", "degree", "over", "choose", "pmod", "rfloor", "rceil")
        return token.value in ("(", "[", "{", "{{", "|(") or (token.value == "|" and not self.bars)

    def beside(self, left: Node) -> Node:
        """Read a factor that stands beside another: a product, or the fraction of a mixed number."""
        before = self.tokens[self.at - 1]
        whole = left.kind == "num" and before.kind == "num" and not left.args[1]
        if whole and (self.peek().kind == "num" or self.peek()[:2] == ("cmd", "frac")):
            right = self.primary()
            if right.kind == "num" and self.take("/"):
                right = Node("div", (right, self.primary()))
            if right.kind == "div" and _is_proper(right):
                return self.postfix(Node("add", (left, right)))
            right = self.postfix(right)
            if right.kind != "div" and right.kind != "pow":
                raise Unreadable("two numbers beside each other")
            return product(left, right)
        if self.peek().kind == "num" and left.kind in ("num", "div") and before.kind == "num":
            raise Unreadable("two numbers beside each other")
        return product(left, self.factor())

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
                twice = self.take("!")
                value = Node("call", ("double factorial", value)) if twice else Node("factorial", (value,))
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
            return Node("sym", (label_of(base) + "'",))
        if inner.kind == "word" or inner[:2] == ("func", "th") or inner.value in ("st", "nd", "rd"):
            while self.next().value != "}" and self.peek() is not END:
                pass
            return base
        if braced:
            exponent = self.group()
            if (
                base.kind == "sym"
                and exponent.kind == "num"
                and (places := _COMBINATIONS.fullmatch(base.args[0]))
            ):
                return Node("binomial", (number(int(places[1])), exponent))
            return Node("pow", (base, exponent))
        sign = self.take("-", "+")
        exponent = self.postfix(self.primary())  # 2^3^2 is 2^(3^2)
        if (
            base.kind == "sym"
            and exponent.kind == "num"
            and (places := _COMBINATIONS.fullmatch(base.args[0]))
        ):
            return Node("binomial", (number(int(places[1])), exponent))
        return Node("pow", (base, Node("neg", (exponent,)) if sign and sign.value == "-" else exponent))

    def primary(self) -> Node:
        """Read what stands for itself: a number, a name, a bracket, a command."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooComplex(f"brackets deeper than {DEEPEST}")
        found = self.single(self.next())
        self.depth -= 1
        return found

    def single(self, token: Token) -> Node:
        """Read what begins with this token."""
        if token.kind == "num":
            return self.based(token) if self.sees("_") else _read_number(token.value)
        if token.kind == "const":
            return self.subscript(Node("const", (token.value,)))
        if token.kind == "sym":
            return self.applied(self.marked(self.subscript(Node("sym", (token.value,)))), token)
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
            bars, self.bars = self.bars, int(opened == "{{" and not self.sees("|"))  # {x | x > 3}
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


def _is_inequality(node: Node) -> bool:
    return node.kind == "rel" and set(node.args[0]) <= {"<", ">", "<=", ">=", "!="}


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


def _is_proper(fraction: Node) -> bool:
    above, below = fraction.args
    if above.kind != "num" or below.kind != "num" or above.args[1] or below.args[1]:
        return False
    return bool(0 < above.args[0] < below.args[0])


def _as_set(found: Node) -> Node:
    if found.kind == "builder":
        return found
    if found.kind == "ratio" and found.args[0].kind == "sym":
        return Node("builder", (found.args[0], found.args[1]))
    if found.kind == "rel" and found.args[1].kind == "ratio" and found.args[1].args[0].kind == "sym":
        operators, ratio, *others = found.args
        return Node("builder", (ratio.args[0], Node("rel", (operators, ratio.args[1], *others))))
    return Node("set", found.args if found.kind == "list" else (found,))
