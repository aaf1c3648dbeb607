"""Whether two lines rhyme, by their spelling.

The rule: the last words of both lines are different words, and from the last group of vowels on they are
spelled the same. The vowels are a, e, i, o, u and y; an e at a word's end is not one, unless the word has
no other. So light/night and moon/soon rhyme; light/white and blood/food are judged wrongly, because only
a pronouncing dictionary knows better.
"""

import re

import hub

# [^\W\d_] is a letter of any script; an apostrophe stays inside its word.
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# Matched against the word written backwards: searching forwards for the last vowels takes a time that
# grows with the square of the word's length, and a model will write that word.
_ENDING = re.compile(r"e?[^aeiouy]*[aeiouy]+")


class Rhyme:
    """Scores a completion 1.0 where its last two lines rhyme, `near` where they almost do, else 0.0.

    Args:
        near: for lines that do not rhyme but whose last words share their last letter, 0 to 1. A
            policy that has never rhymed finds the way from there; 0 gives nothing.

    Raises:
        ValueError: `near` is not from 0 to 1.

    >>> Rhyme()(hub.Sample("A couplet, please.", "I saw a light\\nlate in the night."))
    1.0
    """

    def __init__(self, near: float = 0.0) -> None:
        if not 0 <= near <= 1:
            raise ValueError(f"near is {near}, but should be from 0 to 1")
        self.near = near

    def __call__(self, sample: hub.Sample) -> float:
        """Score one completion."""
        lines = [words for line in sample.text.splitlines() if (words := _WORD.findall(line))]
        if len(lines) < 2:
            return 0.0
        first, second = (words[-1].casefold() for words in lines[-2:])
        if first == second:
            return 0.0
        if ending(first) == ending(second):
            return 1.0
        return self.near if first[-1] == second[-1] else 0.0


def ending(word: str) -> str:
    """Return what a word has in common with those that rhyme with it.

    >>> ending("delight"), ending("alone"), ending("be"), ending("hmm")
    ('ight', 'one', 'e', 'hmm')
    """
    found = _ENDING.match(word[::-1])
    return found[0][::-1] if found else word
