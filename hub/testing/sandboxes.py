"""`SandboxSuite`: what every sandbox must hold to, as tests that its author inherits."""

import contextlib
import os
import secrets
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hub.errors import BadInput, HubError, SandboxError, SandboxUnavailable
from hub.open import open_sandbox
from hub.sandbox import Case, Execution, Limits, Program, Sandbox, Verdict
from hub.testing import probes, programs
from hub.testing.cheats import CHEATS, ENTRY_POINT, HONEST, LOOKS_FOR_SECRETS, TESTS, WRONG
from hub.testing.failing import caught, fail, show

QUICK_S = 2.0
"""The wall time of programs that may never end."""
_SECRET_VARIABLE = "HUB_TEST_OF_A_SANDBOX"


_WALLS = (
    "test_nothing_is_left_to_the_next",
    "test_there_is_no_network",
    "test_there_are_no_files_of_the_host",
)


class SandboxSuite:
    """Tests of one sandbox; subclass it in a test file, in a class whose name begins with `Test`.

        class TestLocal(hub.testing.SandboxSuite):
            sandbox = "local"
            options = {"slots": 2}

    More tests can be added to the class: the fixture `box` is the opened sandbox.

    Attributes:
        sandbox: an installed name, or a callable that takes `options` by name and opens a `hub.Sandbox`.
        options: its own.
        tells: the verdicts that it can tell apart; where it cannot, `error` is right.
        judge: it runs `Program.tests` apart from the program.
        cases: it runs `Program.cases`.
        in_process: it runs tests in the program's own process where that is asked for.
        languages: the languages that it has beside Python: of "c", "cpp" and "javascript".
        isolated: it answers for the walls itself: programs reach neither the network nor the host's files,
            and leave nothing to the next. False for the client of a service whose walls are its operator's.
        keeps_exit_code: it reports the exit code of a program.
        wall_s: seconds that a program may take which is expected to end.
        callers: threads that call it at once.
    """

    sandbox: ClassVar[str | Callable[..., Sandbox]]
    options: ClassVar[Mapping[str, Any]] = {}
    tells: ClassVar[Collection[Verdict]] = tuple(Verdict)
    judge: ClassVar[bool] = True
    cases: ClassVar[bool] = True
    in_process: ClassVar[bool] = True
    languages: ClassVar[Sequence[str]] = ()
    isolated: ClassVar[bool] = True
    keeps_exit_code: ClassVar[bool] = True
    wall_s: ClassVar[float] = 30.0
    callers: ClassVar[int] = 8

    @classmethod
    def open(cls) -> Sandbox:
        """Open another sandbox like the one under test."""
        name = vars(cls).get("sandbox", getattr(cls, "sandbox", None))
        if name is None:
            fail(f"set `sandbox` in {cls.__name__}: what is to be tested")
        if isinstance(name, str):
            return open_sandbox(name, **cls.options)
        make = name.__func__ if isinstance(name, staticmethod) else name
        opened: Sandbox = make(**cls.options)
        return opened

    @pytest.fixture(scope="class")
    @classmethod
    def secret(cls) -> Iterator[str]:
        """A text that no program may see; the environment of this process holds it while the tests run."""
        value = f"HUBSECRET{secrets.token_hex(8)}"
        os.environ[_SECRET_VARIABLE] = value
        yield value
        os.environ.pop(_SECRET_VARIABLE, None)

    @pytest.fixture(scope="class")
    @classmethod
    def box(cls, secret: str) -> Iterator[Sandbox]:
        """The sandbox under test."""
        try:
            sandbox = cls.open()
        except SandboxUnavailable as error:
            fail(f"cannot be opened: {error}. Skip the class where the machine lacks what it needs")
        with contextlib.closing(sandbox):
            yield sandbox

    def run(self, box: Sandbox, program: Program, **limits: Any) -> Execution:
        """Run one program, with limits that differ from the usual ones by name."""
        return box.run(program, Limits(**{"wall_s": self.wall_s, **limits}))

    def expect(self, done: Execution, verdicts: Collection[Verdict], what: str) -> None:
        """Fail unless a program ended in one of these ways, as far as the sandbox can tell."""
        right = {v if v in self.tells else Verdict.ERROR for v in verdicts}
        if done.verdict not in right:
            wanted = " or ".join(sorted(right))
            fail(f"{what}: is {done.verdict}, not {wanted}. {show(done)}")

    def _table(self, box: Sandbox, table: programs.Table, name: str) -> Execution:
        program, verdicts = table[name]
        wall_s = self.wall_s if Verdict.PASSED in verdicts or Verdict.TIMEOUT not in verdicts else QUICK_S
        done = self.run(box, program, wall_s=wall_s)
        self.expect(done, verdicts, name)
        return done

    # What programs do

    @pytest.mark.parametrize("name", programs.OUTPUT)
    def test_output(self, box: Sandbox, name: str) -> None:
        """What a program prints is compared as the program asks, with the whole of what is expected."""
        self._table(box, programs.OUTPUT, name)

    @pytest.mark.parametrize("name", programs.OUTCOMES)
    def test_outcomes(self, box: Sandbox, name: str) -> None:
        """However a program ends, it has the verdict that says so, and the next one runs."""
        self._table(box, programs.OUTCOMES, name)
        self.expect(
            self.run(box, Program("print(1)", expected_stdout="1")), (Verdict.PASSED,), "the next one"
        )

    @pytest.mark.parametrize("name", programs.CASES)
    def test_cases(self, box: Sandbox, name: str) -> None:
        """Literal cases are compared by value, outside the program."""
        if self.cases or self._refuses(box, programs.CASES[name][0]):
            self._table(box, programs.CASES, name)

    @pytest.mark.parametrize("name", programs.JUDGED)
    def test_judged(self, box: Sandbox, name: str) -> None:
        """Tests run apart from the program that they judge."""
        if self.judge or self._refuses(box, programs.JUDGED[name][0]):
            self._table(box, programs.JUDGED, name)

    @pytest.mark.parametrize("name", programs.UNUSABLE)
    def test_tests_that_judge_no_program_are_no_verdict(self, box: Sandbox, name: str) -> None:
        """What ends before it asked the program anything is the data's fault: bad input."""
        self._refuses(box, programs.UNUSABLE[name][0])
        self.expect(
            self.run(box, Program("print(1)", expected_stdout="1")), (Verdict.PASSED,), "the next one"
        )

    @pytest.mark.parametrize("name", programs.IN_PROCESS)
    def test_in_process(self, box: Sandbox, name: str) -> None:
        """Tests that ask for it run in the program's own process."""
        if self.in_process or self._refuses(box, programs.IN_PROCESS[name][0]):
            self._table(box, programs.IN_PROCESS, name)

    @pytest.mark.parametrize("name", programs.EXITS)
    def test_exit_codes(self, box: Sandbox, name: str) -> None:
        """The exit code is what Python itself gives; only 0 passes."""
        source, code = programs.EXITS[name]
        done = self.run(box, Program(source))
        self.expect(done, (Verdict.ERROR if code else Verdict.PASSED,), name)
        if self.keeps_exit_code and done.exit_code != code:
            fail(f"{name}: the exit code is {done.exit_code}, not {code}")

    @pytest.mark.parametrize("language", programs.LANGUAGES)
    def test_languages(self, box: Sandbox, language: str) -> None:
        """A program of each language adds, fails, is ended at its limit; one it has not is refused."""
        adds, fails, hangs, broken = programs.LANGUAGES[language]
        if language not in self.languages and not self._refuses(box, Program(adds, language)):
            return
        for source, expected, verdict, seconds in (
            (adds, "5", Verdict.PASSED, self.wall_s),
            (adds, "6", Verdict.FAILED, self.wall_s),
            (fails, None, Verdict.ERROR, self.wall_s),
            (hangs, None, Verdict.TIMEOUT, QUICK_S),
            (broken, None, Verdict.ERROR, self.wall_s),
        ):
            program = Program(source, language, stdin="2 3", expected_stdout=expected)
            killed = (Verdict.KILLED,) if verdict is Verdict.ERROR else ()
            self.expect(self.run(box, program, wall_s=seconds), (verdict, *killed), source)

    def test_what_is_printed_is_kept_apart(self, box: Sandbox) -> None:
        """Standard output and error come back apart; a traceback is on standard error."""
        done = self.run(
            box, Program("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n{}['key']")
        )
        self.expect(done, (Verdict.ERROR,), "an exception")
        if done.stdout != "to out\n" or "to err" not in done.stderr or "KeyError: 'key'" not in done.stderr:
            fail(f"an exception after output on both streams: {show(done)}")

    def test_an_unknown_language_is_refused(self, box: Sandbox) -> None:
        """It is an error that names the languages there are, and no verdict."""
        with pytest.raises(BadInput, match=r"(?i)python"):
            self.run(box, Program("print(1)", "klingon"))

    # Limits

    def test_wall_time(self, box: Sandbox) -> None:
        """A program has the wall time that it is given, and no more."""
        source = "import time\ntime.sleep(1.5)"
        self.expect(self.run(box, Program(source)), (Verdict.PASSED,), "1.5 s of many")
        done = self.run(box, Program(source), wall_s=0.5)
        self.expect(done, (Verdict.TIMEOUT,), "1.5 s of 0.5")

    def test_memory(self, box: Sandbox) -> None:
        """A program has the memory that it is given, and no more."""
        program = Program("x = bytearray(200 << 20)\nprint(len(x))")
        self.expect(self.run(box, program, memory_mb=512), (Verdict.PASSED,), "200 MiB of 512")
        done = self.run(box, program, memory_mb=64)
        self.expect(done, (Verdict.MEMORY, Verdict.KILLED), "200 MiB of 64")

    def test_output_is_cut_at_its_limit(self, box: Sandbox) -> None:
        """Both streams together are kept up to the limit; one byte more has the verdict that says so."""
        source = "import sys\nsys.stdout.write('x' * {})\nsys.stdout.flush()\nsys.stderr.write('y' * 400)"
        done = self.run(box, Program(source.format(600)), output_bytes=1000)
        self.expect(done, (Verdict.PASSED,), "1000 bytes of 1000")
        if (len(done.stdout), len(done.stderr)) != (600, 400):
            fail(f"600 and 400 bytes of output came back as {len(done.stdout)} and {len(done.stderr)}")
        done = self.run(box, Program(source.format(601)), output_bytes=1000)
        self.expect(done, (Verdict.OUTPUT_LIMIT,), "1001 bytes of 1000")
        if len(done.stdout) + len(done.stderr) > 1000:
            fail(f"{len(done.stdout) + len(done.stderr)} bytes of output came back, and 1000 were allowed")

    # Walls

    def test_nothing_is_left_to_the_next(self, box: Sandbox) -> None:
        """Files, environment, modules, builtins, limits and threads of one program are not the next one's."""
        look = Program(probes.LOOKS, expected_stdout="[]")
        for dirty in (probes.DIRTY, probes.CLOSES) * 2:
            for _ in range(self.callers):
                done = self.run(box, Program(dirty))
                self.expect(done, (Verdict.PASSED,), "a program that leaves something")
            for _ in range(self.callers):
                self.expect(self.run(box, look), (Verdict.PASSED,), "what is left")

    def test_there_is_no_network(self, box: Sandbox) -> None:
        """No program reaches a port or a socket of this machine, or any address."""
        hosts = {"127.0.0.1", "1.1.1.1"}
        with contextlib.suppress(OSError):
            hosts |= {
                str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
            }
        name = f"\0hub-{secrets.token_hex(8)}"
        with socket.create_server(("0.0.0.0", 0)) as server, socket.socket(socket.AF_UNIX) as local:
            local.bind(name)
            local.listen()
            source = probes.CALLS_OUT.format(hosts=sorted(hosts), port=server.getsockname()[1], name=name)
            done = self.run(box, Program(source, expected_stdout="[]"))
        self.expect(done, (Verdict.PASSED,), "a program that calls out")

    def test_there_are_no_files_of_the_host(self, box: Sandbox, secret: str, tmp_path: Path) -> None:
        """No program reads, writes or changes a file of the host, or sees its environment or processes."""
        with contextlib.ExitStack() as stack:
            places = []
            for folder in {str(tmp_path), "/var/tmp", str(Path.home()), "/dev/shm", "/run"}:
                place = Path(folder, f"hub-test-{secrets.token_hex(8)}")
                with contextlib.suppress(OSError):
                    place.write_text(secret)
                    place.chmod(0o666)
                    stack.callback(place.unlink)
                    places.append(str(place))
            before = [os.stat(place) for place in places]
            got: list[Any] = []
            with caught(signal.SIGUSR1, got):
                done = self.run(
                    box, Program(probes.REACHES.format(places=places, process=os.getpid(), secret=secret[:9]))
                )
            self.expect(done, (Verdict.PASSED,), "a program that reaches out")
            if done.stdout.strip() != "[]" or got:
                fail(f"a program reached the host: {done.stdout}{' a signal' if got else ''}")
            if [(s.st_mode, s.st_mtime_ns, s.st_nlink) for s in before] != [
                (s.st_mode, s.st_mtime_ns, s.st_nlink) for s in map(os.stat, places)
            ]:
                fail(f"a program changed files of the host, of {places}")

    # Verdicts

    @pytest.mark.parametrize("name", ["right", "wrong", *CHEATS])
    @pytest.mark.parametrize("mode", ["judge", "cases", "output"])
    def test_verdicts_cannot_be_forged(self, box: Sandbox, mode: str, name: str) -> None:
        """What does not give the right answers does not pass, whatever else it does."""
        source = {"right": HONEST, "wrong": WRONG, **CHEATS}[name]
        if mode == "judge":
            program = Program(source, tests=TESTS, entry_point=ENTRY_POINT)
        elif mode == "cases":
            cases = (Case((2, 3), 5), Case((-4, 4), 0), Case((10**20, 1), 10**20 + 1))
            program = Program(source, cases=cases, entry_point=ENTRY_POINT)
        else:
            calls = "try:\n    print(add(2, 3))\nfinally:\n    print(add(-4, 4))\n"
            program = Program(source + calls, expected_stdout="5\n0\n")
        if not self._has(mode) and not self._refuses(box, program):
            return
        done = self.run(box, program, wall_s=self.wall_s if name in ("right", "wrong") else QUICK_S)
        if (done.verdict is Verdict.PASSED) is not (name == "right"):
            fail(f"the program with {name} is {done.verdict}. {show(done)}")

    @pytest.mark.parametrize("mode", ["judge", "cases", "output"])
    def test_what_is_expected_cannot_be_read(self, box: Sandbox, mode: str) -> None:
        """No test and no expected value is where a program can find it."""
        secret = f"HUBSECRET{secrets.token_hex(8)}"
        if mode == "judge":
            tests = f"KNOWN = {secret!r}\n{TESTS}\n    assert candidate(0, 0) == KNOWN\n"
            program = Program(LOOKS_FOR_SECRETS, tests=tests, entry_point=ENTRY_POINT)
        elif mode == "cases":
            cases = (Case((1, 2), secret), Case((3, 4), secret))
            program = Program(LOOKS_FOR_SECRETS, cases=cases, entry_point=ENTRY_POINT)
        else:
            program = Program(LOOKS_FOR_SECRETS, expected_stdout=secret)
        if not self._has(mode) and not self._refuses(box, program):
            return
        done = self.run(box, program)
        if done.verdict is Verdict.PASSED or secret in done.stdout + done.stderr or "[" not in done.stdout:
            fail(f"a program that looks for what is expected of it: {show(done)}")

    # Callers

    def test_callers_at_once_get_their_own(self, box: Sandbox) -> None:
        """Many threads, honest and hostile programs in between: each gets its own output and verdict."""
        given = programs.at_once(self.callers * 6)

        def run(one: tuple[Program, Verdict]) -> Execution:
            return self.run(box, one[0], wall_s=1.0 if one[1] is Verdict.TIMEOUT else self.wall_s)

        with ThreadPoolExecutor(self.callers) as pool:
            found = list(pool.map(run, given))
        for number, (done, (_, verdict)) in enumerate(zip(found, given, strict=True)):
            self.expect(done, (verdict,), f"program {number} of {len(found)} at once")
            if verdict is Verdict.PASSED and done.stderr.strip() != str(number):
                fail(f"program {number} has the standard error of another: {show(done)}")

    def test_it_says_what_its_walls_are(self, box: Sandbox) -> None:
        """`describe` lists its layers, for people."""
        layers = box.describe()
        if not layers or not all(layer.name and isinstance(layer.active, bool) for layer in layers):
            fail("describe() gives no layers: list what walls programs in, and whether each is active")
        if len({layer.name for layer in layers}) != len(layers):
            fail("describe() names a layer twice")

    def test_closing_is_final(self) -> None:
        """A closed sandbox runs nothing, and may be closed again."""
        box = self.open()
        self.expect(self.run(box, Program("print(1)")), (Verdict.PASSED,), "a new sandbox")
        box.close()
        with pytest.raises(SandboxUnavailable):
            self.run(box, Program("print(1)"))
        box.close()

    def test_closing_ends_what_runs(self) -> None:
        """Whoever waits for a program when the sandbox is closed has an error, and no verdict on it."""
        box = self.open()
        found: list[object] = []

        def wait() -> None:
            try:
                found.append(box.run(Program("import time\ntime.sleep(10**6)"), Limits(wall_s=3600)))
            except HubError as error:
                found.append(error)

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        waiting.join(1.0)
        box.close()
        waiting.join(60.0)
        if len(found) != 1 or not isinstance(found[0], SandboxError):
            fail(f"a program ran when the sandbox was closed, and its caller got {found or 'no answer'}")

    def test_a_forked_child_cannot_use_it(self, box: Sandbox) -> None:
        """A sandbox belongs to the process that opened it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
            child = os.fork()
        if child == 0:
            code = 1
            try:
                box.run(Program("print(1)"), Limits(wall_s=self.wall_s))
            except SandboxUnavailable:
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            fail("it can be used in a forked child: raise SandboxUnavailable where os.getpid() has changed")
        self.expect(self.run(box, Program("print(1)")), (Verdict.PASSED,), "the parent afterwards")

    def _has(self, mode: str) -> bool:
        return {"judge": self.judge, "cases": self.cases}.get(mode, True)

    def _refuses(self, box: Sandbox, program: Program) -> bool:
        """Fail unless what the sandbox has not is refused as bad input; always False."""
        try:
            done = self.run(box, program)
        except BadInput:
            return False
        fail(f"what the sandbox does not have, or cannot judge by, is no BadInput. {show(done)}")

    def __init_subclass__(cls, **keys: Any) -> None:
        super().__init_subclass__(**keys)
        if not cls.isolated:  # the walls are another's: there is nothing here to test
            for name in _WALLS:
                setattr(cls, name, None)
