"""The reward `boxed-format`."""

import pytest

import hub
from hub.testing import RewardSuite
from hub_format.boxed import BoxedFormat, find_boxes


class TestBoxedFormat(RewardSuite):
    reward = "boxed-format"
    gold = [
        hub.Sample("", r"So the answer is $\boxed{42}$."),
        hub.Sample("", "\\[\n\\boxed{\\begin{pmatrix}1\\\\2\\end{pmatrix}}\n\\]"),
        hub.Sample("", r"\boxed {\frac{1}{2}}"),
    ]
    wrong = [
        hub.Sample("", "The answer is 42."),
        hub.Sample("", r"\boxed{42"),
        hub.Sample("", r"\boxed{ }"),
        hub.Sample("", r"\boxed42"),
        hub.Sample("", "boxed{42}"),
    ]


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("", []),
        (r"\boxed{1}\boxed{2}", ["1", "2"]),
        (r"{\boxed{1}", ["1"]),
        (r"\boxed{\boxed{1}}", [r"\boxed{1}"]),
        (r"\boxed{a \boxed{1} b", ["1"]),
        (r"\boxed{1}}} \boxed{2}", ["1", "2"]),
        (r"\boxed{\{1, 2\}}", [r"\{1, 2\}"]),
        (r"\boxed{\{}", [r"\{"]),
        (r"\boxed{1\}", []),
        (r"\boxed{\text{a}_{b_{c}}}", [r"\text{a}_{b_{c}}"]),
        (r"\\boxed{1}", []),
        (r"\boxedx{1}", []),
        ("\\boxed\n{1}", ["1"]),
    ],
)
def test_boxes(text: str, boxes: list[str]) -> None:
    assert [box.content for box in find_boxes(text)] == boxes


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({}, r"\boxed{}", "empty_box"),
        ({}, r"\boxed{\boxed{\,}}", "empty_box"),
        ({}, r"\boxed{1} and \boxed{}", "empty_box"),
        ({}, r"\boxed{1} and \boxed{", ""),
        ({"once": True}, r"\boxed{1} and \boxed{1}", "several_boxes"),
        ({"once": True}, r"\boxed{\boxed{1}}", ""),
        ({"last_line": True}, "\\boxed{1}\nThat is all.", "not_last_line"),
        ({"last_line": True}, "First \\boxed{1}.\nThen \\boxed{2}. \n\n", ""),
        ({"last_line": True}, "\\boxed{1\n}", "not_last_line"),
    ],
)
def test_options(options: dict[str, bool], text: str, reason: str) -> None:
    score = BoxedFormat(**options)(hub.Sample("", text))
    assert (score.value, score.reason) == (0.0 if reason else 1.0, reason)


def test_many_boxes_in_each_other_are_scanned_once() -> None:
    # To copy the content of each would be 40 GB.
    depth = 100_000
    (box,) = find_boxes(r"\boxed{" * depth + "7" + "}" * depth)
    assert (box.start, len(box.content)) == (0, 8 * (depth - 1) + 1)
