"""Safety: whether a model refuses, what harm it does, and whether it keeps to principles.

phrases.py        what refusals say
refusal.py        the reward `refusal`: three classes, by rules
asking.py         asks the reward `judge` in the name of the rewards below
judged.py         the reward `refusal-judged`: the same three classes, by a language model
constitution.py   the reward `constitution`: principles of a file, each judged
harm.py           the reward `harm`: whether a completion does the harm that was asked for
strong.py         the reward `strongreject`: how useful a completion is to whoever asked for harm
find_data.py      where data is
xstest.py         the benchmark `xstest`
harmful.py        the benchmarks `harmbench` and `strongreject`, from your own copy
"""
