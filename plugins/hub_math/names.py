r"""Reads what begins with a name: variables and their indices, functions, LaTeX's commands."""

from collections.abc import Callable

from hub_math.reader import END, Reader
from hub_math.tokens import Token
from hub_math.tree import EMPTY, Node, Unreadable, number

SEPARATORS = frozenset({",", ";", "and", "or"})
_ACCENTS = frozenset(
    "overline bar vec hat tilde overrightarrow widehat underline mathcal mathscr mathfrak overarc "
    "widetilde".split()
)
_MATRICES = frozenset("matrix pmatrix bmatrix Bmatrix smallmatrix array vmatrix Vmatrix".split())
_LISTS = frozenset(
    "cases aligned align align* gathered gather gather* split equation equation* rcases".split()
)
_INVERSES = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"}
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
          "twelve": 12, "sixteen": 16}  # fmt: skip
_CONDITIONS = frozenset({"if", "for", "when", "otherwise", "else", "where"})
_DIRECTIONS = frozenset({"vec", "hat", "overrightarrow", "widehat"})
_LINES = frozenset({"overline", "overrightarrow", "bar", "underline"})
_APPLIED = frozenset("fghFGHPW")


def product(left: Node, right: Node) -> Node:
    """Return a product, without products inside it."""
    return Node("mul", (*left.args, right) if left.kind == "mul" else (left, right))


def label_of(node: Node) -> str:
    """Return the text of a node that is a plain name or number.

    Raises:
        Unreadable: it is anything else.
    """
    if node.kind in ("sym", "const", "num", "apply"):
        return str(node.args[0])
    raise Unreadable("a name is missing")


class NameReader(Reader):
    """Reads names, functions and commands; what is in them is left to the parser."""

    def based(self, token: Token) -> Node:
        """Read a number's base, as in 1011_2."""
        self.next()
        named = [each.value for each in self.tokens[self.at : self.at + 3] if each.kind == "word"]
        if named and named[0] in _BASES:
            self.skip_group() if self.sees("{") else self.next()
            return Node("based", (token.value.lstrip("0") or "0", _BASES[named[0]]))
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
        """Pass over a group in braces."""
        depth = 0
        while self.peek() is not END:
            value = self.next().value
            depth += (value == "{") - (value == "}")
            if depth <= 0:
                return

    def marked(self, name: Node) -> Node:
        """Read the primes of a derivative, and the -1 of an inverse function, as parts of its name."""
        if name.kind != "sym":
            return name
        while self.take("'"):
            name = Node("sym", (name.args[0] + "'",))
        inverse = [token.value for token in self.tokens[self.at : self.at + 6]]
        if name.args[0][:1] in _APPLIED and inverse == ["^", "{", "-", "1", "}", "("]:
            self.at += 5
            return Node("sym", (name.args[0] + "^-1",))
        return name

    def applied(self, name: Node, token: Token) -> Node:
        """Read f(x) as the function f, where f names one; elsewhere a bracket multiplies."""
        if name.kind != "sym" or not self.sees("(") or self.peek().spaced:
            return name
        plain = name.args[0].removesuffix("^-1").rstrip("'")
        if plain[:1] not in _APPLIED or len(plain.split("_")[0]) > 1:
            closing = self._closing()
            starts = self.at == 1 or self.tokens[self.at - 2].value in (",", "and", "or", ";")
            after = self.tokens[closing + 1] if closing and closing + 1 < len(self.tokens) else END
            inside = self.tokens[self.at + 1 : closing]
            starts = starts and all(each.kind == "sym" or each.value == "," for each in inside)
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
        """Read a function with its base, power and argument."""
        base = power = None
        if name == "sqrt":
            return self.root()
        if name == "cbrt":
            return Node("root", (number(3), self.argument()))
        if (
            name == "log"
            and self.peek().kind == "num"
            and not self.peek().spaced
            and self.peek(1).value == "("
        ):
            base = self.primary()  # log2(8)
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
        """Return the node of a function's call."""
        if name in ("log", "lg"):
            return Node("log", (base or (number(10) if name == "lg" else Node("const", ("log",))), argument))
        if name == "exp":
            return Node("pow", (Node("const", ("e",)), argument))
        if name == "factorial":
            return Node("factorial", (argument,))
        if name == "det" and argument.kind == "matrix":
            return Node("call", ("det", argument))
        arguments = argument.args if argument.kind in ("list", "set") else (argument,)
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
            if self.peek().value == "d" and self.peek(1).kind == "sym":
                break  # the dx of an integral
            found = product(found, self.postfix(self.primary()))
        if self.sees("/") and self.peek(1).kind == "num":
            self.next()
            found = Node("div", (found, self.primary()))
        return found

    def root(self) -> Node:
        """Read a root: its index in brackets, then what is under it."""
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

    def command(self, name: str) -> Node:
        """Read what a LaTeX command builds."""
        made: dict[str, Callable[[], Node]] = {
            "frac": lambda: Node("div", (self.group(), self.group())),
            "sqrt": self.root,
            "begin": self.environment,
            "emptyset": lambda: EMPTY,
            "varnothing": lambda: EMPTY,
            "mathbb": lambda: Node("sym", ("\\mathbb" + label_of(self.group()),)),
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
        """Read a name under a bar, an arrow or in another alphabet."""
        start = self.at
        self.skip_group()
        spelled = "".join(token.value for token in self.tokens[start : self.at]).strip("{}")
        if name in _DIRECTIONS and len(spelled) == 1:  # a vector is its letter, as in bold type
            return self.subscript(Node("const" if spelled in "ei" else "sym", (spelled,)))
        plain = name == "mathcal" or (name in _LINES and spelled.isupper() and len(spelled) > 1)
        return self.subscript(Node("sym", (spelled if plain else f"{name} {spelled}",)))

    def enclosed(self, function: str, closer: str) -> Node:
        """Read a floor or ceiling up to its closing bracket."""
        found = self.sum()
        if self.next()[:2] != ("cmd", closer):
            raise Unreadable(f"\\{closer} is missing")
        return Node("call", (function, found))

    def environment(self) -> Node:
        """Read a matrix, a determinant, or the lines of a system."""
        name = self.name_of_environment()
        if name == "array" and self.sees("{"):
            self.skip_group()
        if name not in _MATRICES and name not in _LISTS:
            raise Unreadable(f"the environment {name} is not read")
        rows: list[list[Node]] = [[]]
        while self.peek()[:2] != ("cmd", "end"):
            if self.peek() is END:
                raise Unreadable(f"\\end{{{name}}} is missing")
            if self.take("newline"):
                rows.append([])
            elif self.sees("&") or self.sees(*SEPARATORS) or self.peek().value in _CONDITIONS:
                self.next()
            else:
                rows[-1].append(self.statement())
        self.next()
        self.name_of_environment()
        kept = [row for row in rows if row]
        system = name == "array" and all(len(row) == 1 and row[0].kind == "rel" for row in kept)
        if name in _LISTS or system:
            return Node("list", tuple(row[0] if len(row) == 1 else Node("list", tuple(row)) for row in kept))
        matrix = Node("matrix", tuple(Node("row", tuple(row)) for row in kept))
        return Node("call", ("det", matrix)) if name == "vmatrix" else matrix

    def name_of_environment(self) -> str:
        r"""Read the name in the braces of \begin or \end."""
        self.need("{")
        name = ""
        while not self.sees("}"):
            if self.peek() is END:
                raise Unreadable("an environment without a name")
            name += self.next().value
        self.next()
        return name

    def bounds(self) -> tuple[Node | None, Node | None]:
        """Read what stands below and above a sum, integral or limit."""
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
        """Read a sum or product; without plain bounds it stays opaque."""
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
        """Read an integral or a limit."""
        low, high = self.bounds()
        return Node("opaque", (name, *(part for part in (low, high, self.term()) if part)))


def _is_name(node: Node) -> bool:
    """Whether an index is part of a name: v_max, AB, but not n or n-1."""
    if node.kind == "sym":
        return len(node.args[0]) > 1 or node.args[0].isupper()
    return (
        node.kind == "mul" and len(node.args) > 2 and all(part.kind in ("sym", "const") for part in node.args)
    )
