"""A reward learnt from pairs in seconds: logistic regression on words (pip install scikit-learn).

The chance that one completion is preferred to another is a sigmoid of the difference of their values (Bradley
and Terry 1952), so a logistic regression on differences of features, without an intercept, finds the values.
It is a baseline: what it reaches on your pairs, a reward model should beat.

    hub eval --reward bradley_terry.py:BradleyTerry --with BradleyTerry.pairs=train.jsonl --on preferences ...
"""

import hashlib
from math import log1p
from pathlib import Path
from typing import Any

import hub
from hub.data import DataFile


@hub.reward(batch=True, needs=[])
class BradleyTerry:
    """What words and length say of how much people would prefer a completion.

    Args:
        pairs: a file with the columns chosen and rejected, both text.
        length: count how long a completion is; without it, only which words it has.
        strength: how far weights may go; less where there are few pairs.
    """

    def __init__(self, pairs: str, length: bool = True, strength: float = 1.0):
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import LogisticRegression

        self.length = length
        self.words = HashingVectorizer(n_features=2**16, ngram_range=(1, 2), alternate_sign=False)
        rows = [row.columns for row in DataFile(pairs)]
        better, worse = (self._features([row[name] for row in rows]) for name in ("chosen", "rejected"))
        from scipy.sparse import vstack

        self.model = LogisticRegression(C=strength, fit_intercept=False, max_iter=1000)
        self.model.fit(vstack([better - worse, worse - better]), [1] * len(rows) + [0] * len(rows))

    @classmethod
    def provenance(cls, pairs: str, **_: Any) -> dict[str, str]:
        """Return the hash of what it was learnt from, which results then have."""
        return {"pairs": hashlib.sha256(Path(pairs).read_bytes()).hexdigest()}

    def __call__(self, samples: list[hub.Sample]) -> list[float]:
        values: list[float] = self.model.decision_function(self._features([s.text for s in samples])).tolist()
        return values

    def _features(self, texts: list[str]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        lengths = csr_matrix([[log1p(len(text)) if self.length else 0.0] for text in texts])
        return hstack([self.words.transform(texts), lengths]).tocsr()
