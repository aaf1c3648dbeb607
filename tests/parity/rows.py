"""Five hundred rows for tests/test_parity.py: 125 prompts of four tasks, four completions each.

python rows.py FOLDER    writes rows.jsonl and ratings.json into it
"""

import json
import sys
from pathlib import Path

GROUP_SIZE = 4
HARD = [
    "It is \\boxed{7}.",
    "\\boxed{\\frac{14}{2}}",
    "\\boxed{8}",
    "7",
    "",
    "\\boxed{9^{9^{9^{9}}}}",
    "\\boxed{" * 2000,
    "\\boxed{123456789!}",
    "<think>4 + 3</think>The answer is \\boxed{7.0}",
    "<think>never closed \\boxed{7}",
    "<think></think>",
    "<think>a</think><think>b</think>\\boxed{7}",
    "<think>a</think>please raise",
    "raise \\boxed{7}",
    "<think>a</think>I abstain",
    "NUL \x00 \u0664 \\boxed{7}",
    "The answer is " + "9" * 5000,
    "<think>\u00e9\n</think>\r\n\\boxed{ 7 }",
    "\\boxed{x+y}",
    "raise and abstain",
]
REFERENCES = ["7", "\\frac{21}{3}", "8", "x+y", "0.5"]
TESTS = "assert add(2, 3) == 5\nassert add('a', 'b') == 'ab'\n"
PROGRAMS = [
    "```python\ndef add(a, b):\n    return a + b\n```",
    "<think>plus</think>\n```python\ndef add(a, b):\n    return b + a\n```",
    "```python\ndef add(a, b):\n    import os\n    os._exit(0)\n```",
    "def add(a, b): return a + b",
    "```python\ndef add(a, b:\n```",
    "I would rather not.",
    "<think>raise</think>```python\ndef add(a, b):\n    raise ValueError\n```",
    "```python\nclass Same(int):\n    def __eq__(self, other): return True\ndef add(a, b):\n    return Same()\n```",
]
HANGS = "```python\ndef add(a, b):\n    while True: pass\n```"
TALK = ["Hello.", "<think>well</think>Hello \U0001f600!", "<think>raise</think>Hello", "I abstain, as ever"]


def rows() -> list[dict[str, object]]:
    made = []
    for prompt in range(60):
        for k in range(GROUP_SIZE):
            text = HARD[(prompt * 3 + k * 7) % len(HARD)]
            made.append(("math", prompt, text, {"answer": REFERENCES[prompt % len(REFERENCES)]}))
    for prompt in range(20):
        for k in range(GROUP_SIZE):
            text = PROGRAMS[(prompt + k * 3) % len(PROGRAMS)] + f"\n\nThat was attempt {k} at {prompt}."
            text = HANGS if (prompt, k) == (3, 2) else text
            made.append(("code", prompt, text, {"answer": "", "reference": TESTS, "name": "add"}))
    for prompt in range(25):
        for k in range(GROUP_SIZE):
            made.append(("judge", prompt, f"{TALK[(prompt + k) % len(TALK)]} {k}", {"answer": str(prompt)}))
    for prompt in range(20):
        for k in range(GROUP_SIZE):
            text = "raise" if prompt == 5 else f"{TALK[(prompt * k) % len(TALK)]} {prompt}"
            made.append(("talk", prompt, text, {"answer": ""}))
    return [
        {
            "id": f"{task}-{prompt}-{number}",
            "task": task,
            "prompt": f"{task} {prompt}?",
            "completion": text,
            **more,
        }
        for number, (task, prompt, text, more) in enumerate(made)
    ]


def ratings(made: list[dict[str, object]]) -> dict[str, int]:
    judged = [row for row in made if row["task"] == "judge"]
    return {f"{row['answer']}: {row['completion']}": n % 10 for n, row in enumerate(judged) if n % 11 != 3}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    made = rows()
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    (folder / "ratings.json").write_text(json.dumps(ratings(made)))
