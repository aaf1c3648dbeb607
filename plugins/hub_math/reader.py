"""Walks over the tokens of an answer."""

from abc import ABC, abstractmethod

from hub_math.tokens import Token
from hub_math.tree import Node, Unreadable

END = Token("end", "")


class Reader(ABC):
    """The tokens of an answer, and how far they have been read."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at, self.depth, self.bars = tokens, 0, 0, 0

    def peek(self, ahead: int = 0) -> Token:
        """Return the next token, or one further on; the end has its own."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else END

    def next(self) -> Token:
        """Return the next token and step over it."""
        token = self.peek()
        self.at += 1
        return token

    def sees(self, *values: str) -> bool:
        """Whether the next token is one of these operators."""
        token = self.peek()
        return token.kind == "op" and token.value in values

    def take(self, *values: str) -> Token | None:
        """Step over the next token if it is one of these operators; return it, else None."""
        return self.next() if self.sees(*values) else None

    def need(self, *values: str) -> None:
        """Step over one of these operators; without it the text is unreadable."""
        if not self.take(*values):
            raise Unreadable(f"{values[0]!r} is missing before {self.peek().value!r}")

    @abstractmethod
    def items(self, *closers: str) -> Node:
        """Read what separators part, up to a closing bracket or the end."""

    @abstractmethod
    def statement(self) -> Node:
        """Read an expression, or several in relation to each other."""

    @abstractmethod
    def sum(self) -> Node:
        """Read terms with their signs."""

    @abstractmethod
    def term(self) -> Node:
        """Read factors."""

    @abstractmethod
    def starts_factor(self) -> bool:
        """Whether the next token begins a factor."""

    @abstractmethod
    def postfix(self, value: Node) -> Node:
        """Read what follows a value: powers, factorials, percent and degree signs."""

    @abstractmethod
    def primary(self) -> Node:
        """Read what stands for itself."""

    @abstractmethod
    def group(self) -> Node:
        """Read the argument of a command."""
