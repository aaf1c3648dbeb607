"""The pages in a real browser: open from a file, run nothing that a model wrote, sort, filter, turn pages."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DataError
from hub_leaderboard import site
from hub_leaderboard.board import Board
from hub_leaderboard.html import escape, island

Make = Callable[..., Any]
HOSTILE = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "<img src=x onerror='window.ran = 3'>",
    "</pre><svg onload=window.ran=4>",
    "<!--<script>",
    "javascript:window.ran=5",
    "\u2028window.ran=6//\u2029",
    "\x00\x01\x1b[31m\x7f nul and escape",
    "half \ud83d of a character \udc00",
    "\r\n\r line ends \t\n",
    "\u202ereversed\u2066 isolated",
    '"><a href="https://example.invalid/">x</a>',
    "{{constructor.constructor('window.ran=7')()}} ${window.ran=8} `x`",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "",
    "\N{GRINNING FACE} \u0301 \ufeff \ufffe z",
    "<style>body{display:none}</style><base href=https://example.invalid/>",
    "<iframe srcdoc='<script>parent.ran=9</script>'></iframe>",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: scripts/chromium installs it on Debian")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that fails the test where anything but files is asked for, or a script, the console or policy complains."""
    page, asked = browser.new_page(), []
    wrong: list[str] = []

    def closed(dialog: Any) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.set_default_timeout(20_000)
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", closed)
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => console.error(e.violatedDirective))"
    )
    yield page
    page.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith("file:")] == []


@pytest.fixture(scope="module")
def root(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site") / "runs"
    for number, name in enumerate(("<b>bold", "a", "b", "c", "d", "e", "f", "g")):
        make_run(root / f"m{number}", name, lambda n, number=number: n % 8 > number)
    make_run(root / "hostile", "<script>alert(1)<", says=lambda n, seed: HOSTILE[n % len(HOSTILE)])
    make_run(root / "failing", "x", says=lambda n, seed: "break</script>" if n == 3 else f"{n}!")
    make_run(root / "limited", "y", lambda n: n > 2, limit=10)
    (root / "torn").mkdir()
    shutil.copy(root / "m1" / "recipe.json", root / "torn")
    (root / "torn" / "result.json").write_text('{"format"')
    return root


@pytest.fixture(scope="module")
def board(make_board: Make) -> Board:
    found: Board = make_board({"use": "many"}, coverage=0.9, title="<i>Numbers</i> & more")
    return found


@pytest.fixture(scope="module")
def built(root: Path, board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    (standing,) = site.build([board], [root], out)
    assert len(standing.rows) == 10
    return out


def run_pages(built: Path) -> dict[str, Path]:
    return {
        json.loads(island_of(file))["samples"][0]["completion"]: file for file in (built / "runs").iterdir()
    }


def island_of(file: Path) -> str:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', file.read_text(encoding="utf-8")
    )
    assert found is not None
    return found[1]


def test_the_board_sorts_searches_and_leads_to_runs_and_back(built: Path, page: Any) -> None:
    page.goto((built / "index.html").as_uri())
    assert page.title() == "<i>Numbers</i> & more"
    rows = page.locator("#ranking tbody tr")
    ranked = rows.locator("th").all_inner_texts()
    assert len(ranked) == 10
    assert "<b>bold" in ranked
    page.locator("#ranking thead button", has_text="model").focus()
    for direction in ("ascending", "descending"):
        page.keyboard.press("Enter")
        page.locator(f"th[aria-sort={direction}]").wait_for()
        letters = [name for name in rows.locator("th").all_inner_texts() if len(name) == 1]
        assert letters == sorted(letters, reverse=direction == "descending")
    page.locator("#ranking thead button", has_text="many").click()
    values = [
        float(text)
        for text in rows.locator("td:nth-child(3)").evaluate_all("(all) => all.map((x) => x.dataset.value)")
    ]
    assert values == sorted(values, reverse=True)
    page.fill("#search", "BOLD")
    assert page.locator("#found").inner_text() == "1 of 10 models"
    assert rows.locator("visible=true").count() == 1
    rows.locator("visible=true").locator("a").click()
    assert page.locator("h1").inner_text().startswith("<b>bold on ")
    page.locator("nav a").click()
    assert page.locator("h1").inner_text() == "<i>Numbers</i> & more"
    text = page.locator("main").inner_text()
    assert "only the first 10 of 40 rows" in text
    assert "torn" in text


def test_nothing_that_a_model_wrote_runs_and_all_is_shown_as_it_is(built: Path, page: Any) -> None:
    page.goto(run_pages(built)[HOSTILE[0]].as_uri())
    samples = page.locator(".sample")
    assert samples.count() == 40
    for number in range(len(HOSTILE)):
        samples.nth(number).locator("summary").click()
        samples.nth(number).locator("pre").first.wait_for()
        codes = (
            samples.nth(number)
            .locator("pre")
            .nth(1)
            .evaluate(
                "(pre) => Array.from({length: pre.textContent.length}, (_, n) => pre.textContent.charCodeAt(n))"
            )
        )
        expected = HOSTILE[number].encode("utf-16-le", "surrogatepass")
        assert codes == [
            int.from_bytes(expected[at : at + 2], "little") for at in range(0, len(expected), 2)
        ], number
    assert page.evaluate("window.ran") is None
    assert page.locator("main img, main iframe, main base, main style, main script").count() == 0
    assert page.locator('a[href^="http"], a[href^="javascript"]').count() == 0


def test_markup_that_got_past_the_escaping_would_not_run_either(
    built: Path, browser: Any, tmp_path: Path
) -> None:
    """A page with what a model might have written put into it as markup: the policy is a second wall."""
    markup = (
        "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><p id=press onclick='window.ran = 3'>x</p>"
        "<iframe srcdoc='<script>parent.ran = 4</script>'></iframe><style>main { display: none }</style>"
        "<a id=go href='javascript:void(window.ran = 5)'>x</a><base href='https://example.invalid/'>"
    )
    changed = tmp_path / "index.html"
    changed.write_text((built / "index.html").read_text().replace("</main>", f"{markup}</main>"))
    page = browser.new_page()
    page.goto(changed.as_uri())
    page.locator("#press").click()
    page.locator("#go").click()
    assert page.evaluate("window.ran") is None
    assert page.locator("main").is_visible()
    assert page.evaluate("document.baseURI").startswith("file:")
    taken = page.evaluate(
        """() => {
            try { document.body.innerHTML = "<p>x</p>"; return "taken"; } catch (error) { return error.name; }
        }"""
    )
    assert taken == "TypeError"
    page.locator("#ranking thead button", has_text="model").click()  # the page's own script still runs
    assert page.locator("th[aria-sort]").count() == 1
    page.close()


@pytest.mark.parametrize(
    ("control", "value", "shown"),
    [
        ("only", "right", 39), ("only", "wrong", 0), ("only", "lost", 1), ("only", "abstained", 0), ("only", "cut", 1),
        ("category", "odd", 20), ("q", "BREAK</script>", 1), ("q", "q12", 1), ("q", "39!", 1), ("q", "nowhere", 0),
    ],
)  # fmt: skip
def test_samples_are_found(built: Path, page: Any, control: str, value: str, shown: int) -> None:
    failing = next(
        file
        for file in run_pages(built).values()
        if "/script\\u003e" in island_of(file) and '"break' in island_of(file)
    )
    page.goto(failing.as_uri())
    if control == "q":
        page.fill("#q", value)
        page.locator("#found", has_text="in all" if shown else "none of 40").wait_for()
    else:
        page.select_option(f"#{control}", value)
    assert page.locator(".sample").count() == shown
    if value == "lost":
        page.locator(".sample summary").click()
        page.locator(".sample .inside").wait_for()
        text = page.locator(".sample").inner_text()
        assert "failed" in text
        assert "the disk | is <full>" in text


def test_pages_are_turned_and_a_sample_has_an_address(
    make_run: Make, make_board: Make, page: Any, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / "runs" / name, name, lambda n: n % 3 == 0, options={"count": 130})
    site.build(
        [make_board({"use": "many", "options": {"count": 130}})], [tmp_path / "runs"], tmp_path / "site"
    )
    first, second = sorted((tmp_path / "site" / "runs").iterdir())
    page.goto(first.as_uri())
    assert page.locator("#found").inner_text() == "1\u201350 of 130"
    assert page.locator("#back").is_disabled()
    page.locator("#on").click()
    page.locator("#on").click()
    assert page.locator(".sample").count() == 30
    assert page.locator("#on").is_disabled()
    page.select_option("#sort", "high")
    assert page.locator("#found").inner_text() == "1\u201350 of 130"
    assert page.locator(".sample .outcome").all_inner_texts()[:44] == ["right"] * 44
    page.goto(f"{first.as_uri()}#sample=117.0")
    page.wait_for_selector("#sample-117\\.0[open]")
    page.locator("#sample-117\\.0 a", has_text=re.compile("^b$")).click()
    page.wait_for_selector("#sample-117\\.0[open]")
    assert second.name in page.url
    page.locator("#sample-117\\.0 summary").press("Enter")
    assert page.locator("#sample-117\\.0").get_attribute("open") is None


def test_messages_and_several_completions_of_a_prompt(
    make_run: Make, make_board: Make, page: Any, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "runs" / "a", "a", lambda n: n == 2, on="chat", samples_per_prompt=2)
    lines = (run / "samples.jsonl").read_text().replace('"ratio": 3.0', '"ratio": NaN')
    (run / "samples.jsonl").write_text(lines)
    site.build([make_board({"use": "chat", "samples_per_prompt": 2})], [tmp_path / "runs"], tmp_path / "site")
    (file,) = (tmp_path / "site" / "runs").iterdir()
    page.goto(file.as_uri())
    titles = page.locator(".sample summary span:first-child").all_inner_texts()
    assert titles == [f"q{n} #{k}" for n in range(4) for k in (1, 2)]
    last = page.locator(".sample").nth(7)
    last.locator("summary").click()
    last.locator("h3").first.wait_for()  # what is opened is drawn a moment later
    assert last.locator("h3").all_inner_texts()[:3] == ["prompt, system", "prompt, user", "completion"]
    assert last.locator("pre").all_inner_texts()[:3] == ["Say <b>it</b>.", "3", "wrong"]
    assert "NaN" in last.locator("pre").all_inner_texts()


def test_the_same_runs_give_the_same_bytes(root: Path, board: Board, built: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "runs"
    shutil.copytree(root, moved)
    again = tmp_path / "again"
    site.build([board], [moved], again)
    files = sorted(str(file.relative_to(built)) for file in built.rglob("*") if file.is_file())
    assert files == sorted(str(file.relative_to(again)) for file in again.rglob("*") if file.is_file())
    assert [name for name in files if (built / name).read_bytes() != (again / name).read_bytes()] == []


def test_no_page_tells_where_things_lie_on_this_machine(
    root: Path, built: Path, benchmark_file: Path
) -> None:
    for file in built.rglob("*"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            assert str(root) not in text, file
            assert "/home/me" not in text, file
            assert str(benchmark_file.parent) not in text, file


def test_a_build_that_fails_leaves_the_old_site(
    root: Path, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    site.build([board], [root / "m1"], out)
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    put = site._put

    def full(file: Path, text: str) -> None:
        if file.name == "index.html":
            raise OSError(28, "No space left on device")
        put(file, text)

    monkeypatch.setattr(site, "_put", full)
    with pytest.raises(DataError, match="No space left on device: what was there is as it was"):
        site.build([board], [root], out)
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before
    monkeypatch.undo()
    site.build([board], [root], out)
    assert len(list((out / "runs").iterdir())) == 11
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_holds_something_else_is_left_alone(root: Path, board: Board, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match=r"holds 'thesis.tex', which no build wrote"):
        site.build([board], [root / "m1"], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        site.build([board], [root / "m1"], tmp_path / "file")
    out = tmp_path / "site"
    site.build([board], [root / "m1"], out)
    (out / "CNAME").write_text("mine")
    with pytest.raises(DataError, match="holds 'CNAME'"):
        site.build([board], [root / "m1"], out)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_several_boards_and_what_the_command_says(
    root: Path, benchmark_file: Path, tmp_path: Path, page: Any
) -> None:
    for name, use in (("one", "many"), ("two", "long")):
        (tmp_path / f"{name}.toml").write_text(f'title = "Board {name}"\n[[benchmark]]\nuse = "{use}"\n')
    command = [
        str(Path(sys.executable).with_name("hub")),
        "leaderboard",
        "build",
        "one.toml,two.toml",
        str(root),
    ]
    done = subprocess.run(
        [*command, "--out", "site", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr  # the torn one
    about = json.loads(done.stdout)
    assert [(one["board"], one["models"]) for one in about["boards"]] == [("one", 9), ("two", 0)]
    assert "torn" in about["problems"][0]
    page.goto((tmp_path / "site" / "index.html").as_uri())
    page.locator("a", has_text="Board one").click()
    assert page.locator("#ranking tbody tr").count() == 9
    page.locator("nav a").click()
    page.locator("a", has_text="Board two").click()
    assert "No run qualifies yet" in page.locator("main").inner_text()
    ranking = json.loads((tmp_path / "site" / "one.json").read_text())
    assert len(ranking["rows"]) == 9


@pytest.mark.parametrize("text", HOSTILE)
def test_data_comes_back_exactly_and_ends_no_script(text: str) -> None:
    held = island({"text": text, text: [text]})
    assert json.loads(held) == {"text": text, text: [text]}
    assert not set("<>&\u2028\u2029") & set(held)
    held.encode("utf-8")
    assert not set("<>\"'") & set(escape(text))
    escape(text).encode("utf-8")
