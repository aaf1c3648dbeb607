"""The sandbox `local`: hands programs to zygotes, and reads verdicts that programs cannot forge."""

import contextlib
import os

from hub.errors import BadInput, OptionError, SandboxOverloaded, SandboxUnavailable
from hub.sandbox import Execution, Layer, Limits, Program
from hub_local import folders, layers, scratch
from hub_local.breaches import try_breaches
from hub_local.choose import choose
from hub_local.describe import describe
from hub_local.languages import ALIASES, Language, installed
from hub_local.places import Places
from hub_local.run import Runner
from hub_local.slot import Lost, Refused, Slot

LARGEST_SOURCE = 16 << 20
"""Bytes of a program's text, its input or its tests."""
_LONGEST_NAME = 1_000


class LocalSandbox:
    """Runs programs on this machine behind the kernel's walls.

    A program is forked from a server process that has Python's usual modules imported and lives behind the
    walls already. Tests run in a second one, which calls the program's functions with plain data; the program
    never holds a test, an expected value or a way to say that it passed.

    Args:
        slots: programs that run at once; each has a server process, with tests two. 0: one per core.
        require: names of tiers and layers, all of which must be active: "namespaces", "landlock", "seccomp"
            (see `hub sandbox check`); empty for the best tier that the machine gives. Nothing weaker is ever
            used instead.
        packages: packages that programs may import beside the standard library, e.g. ["numpy"]; what these
            import when they are imported comes with them.
        queue_s: seconds that a program waits for a free slot before it is refused as overload.
        scratch: in the tier "landlock", the folder that programs may write to, emptied after each; "": one of
            its own for each slot. Only with one slot. Judges never share it.

    Raises:
        SandboxUnavailable: the machine cannot give the walls, or one of them does not hold.
        OptionError: an option that makes no sense.
    """

    def __init__(
        self,
        slots: int = 0,
        require: list[str] | str | None = None,
        packages: list[str] | None = None,
        queue_s: float = 60.0,
        scratch: str = "",
    ) -> None:
        if slots < 0 or queue_s < 0:
            raise OptionError("sandbox local: slots and queue_s cannot be negative")
        if scratch and slots != 1:
            raise OptionError("sandbox local: a scratch folder can be given to one slot only: slots=1")
        if scratch and os.listdir(scratch):
            raise OptionError(f"sandbox local: {scratch} is not empty, and a scratch folder is emptied often")
        self.packages = _folders(packages or [])
        self.queue_s = queue_s
        self.scratch = scratch
        self._preload = packages or []
        self._pid = os.getpid()
        self._all = [_Place(self) for _ in range(slots or _cores())]
        self._places = Places(self._all)
        self._closed = False
        try:
            self._choose([require] if isinstance(require, str) else require or [])
            held = try_breaches(lambda program: self.run(program, Limits(wall_s=10.0)), self.tier)
        except BaseException:
            self.close()
            raise
        if held:
            self.close()
            raise SandboxUnavailable(f"the sandbox's walls do not hold here: {'; '.join(held)}")

    def _choose(self, require: list[str]) -> None:
        """Take the best tier that there is, and open the first slot: only that shows what is refused."""
        refused: dict[str, str] = {}
        while True:
            self.tier = choose(require, refused)
            self.languages: dict[str, Language] = installed() if self.tier == "namespaces" else {}
            try:
                self._all[0].slot("solver")
            except Refused as error:
                refused[self.tier] = str(error)
                self._all[0].close()
            else:
                return

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run one program to its end, or to a limit.

        Raises:
            SandboxUnavailable: it was closed, opened in another process, or lost the program twice.
            SandboxOverloaded: no slot came free in time.
            BadInput: the language is not known, a text is too large, or its tests or cases judge no program.
        """
        if self._closed or os.getpid() != self._pid:
            raise SandboxUnavailable("the sandbox is closed, or was opened in another process; open one here")
        language = self._language(program)
        place = self._places.take(self.queue_s)
        if place is None:
            raise SandboxOverloaded(f"no slot of the sandbox came free in {self.queue_s:g} s")
        try:
            for attempt in (1, 2):
                try:
                    return Runner(place.slot, program, limits, language).run()
                except BadInput:
                    raise
                except Lost as error:
                    place.renew()
                    if self._closed:
                        raise SandboxUnavailable("the sandbox was closed while the program ran") from error
                    if attempt == 2:
                        raise SandboxUnavailable(f"the sandbox lost the program twice: {error}") from error
                except BaseException:  # an interrupt of the caller's: what it waited for goes on
                    place.close()
                    raise
        finally:
            place.tidy()
            self._places.give_back(place)
            if self._closed:
                self._close_idle()
        raise AssertionError("unreachable")

    def describe(self) -> list[Layer]:
        """Return the walls of its tier, and the languages that it has."""
        return describe(self.tier, self.languages)

    def close(self) -> None:
        """End every server process; what runs is lost."""
        self._closed = True
        if os.getpid() == self._pid:
            self._close_idle()
            for place in self._all:
                place.kill()  # what is busy is closed by the caller who waits for it

    def _close_idle(self) -> None:
        for place in self._places.take_idle():
            place.close()

    def _language(self, program: Program) -> Language | None:
        if len(program.entry_point or "") > _LONGEST_NAME:
            raise BadInput(f"an entry point of more than {_LONGEST_NAME} characters")
        for text in (program.source, program.stdin, program.tests or ""):
            if len(text) > LARGEST_SOURCE:
                raise BadInput(f"a program's text, input or tests of more than {LARGEST_SOURCE} characters")
        name = ALIASES.get(program.language.lower(), program.language.lower())
        if name == "python":
            return None
        if name not in self.languages:
            known = ", ".join(["python", *self.languages])
            hint = "" if self.tier == "namespaces" else " (others need namespaces)"
            raise BadInput(f"the sandbox has no language {program.language!r}; it has: {known}{hint}")
        if program.tests or program.cases:
            raise BadInput(f"tests and cases are for Python; a program in {name} is judged by what it prints")
        return self.languages[name]


class _Place:
    """The zygotes of one program at a time, each started when it is first needed."""

    def __init__(self, sandbox: LocalSandbox) -> None:
        self._sandbox = sandbox
        self._slots: dict[str, Slot] = {}
        self._folders: list[folders.Folder] = []
        self._cleaning: list[Slot] = []
        self._cleaned: list[folders.Folder] = []

    def slot(self, role: str) -> Slot:
        """Return the zygote for a role: "solver", "judge" or "tools"."""
        if role not in self._slots:
            own = self._sandbox.tier == "landlock" and (role == "judge" or not self._sandbox.scratch)
            folder = self._sandbox.scratch
            if own:
                self._folders.append(folders.Folder())
                folder = self._folders[-1].path
            config = layers.configuration(
                self._sandbox.tier,
                self._sandbox._preload,
                self._sandbox.packages,
                tools=role == "tools",
                scratch=folder,
                own_scratch=own,
            )
            self._slots[role] = Slot(config)
        return self._slots[role]

    @property
    def clean(self) -> bool:
        """Whether no zygote still cleans up after a program, as far as is known."""
        return all(slot.clean for slot in self._slots.values())

    def kill(self) -> None:
        """End the zygotes' processes, so that whoever waits for them sees it."""
        for slot in [*self._slots.values(), *self._cleaning]:
            slot.kill()

    def renew(self) -> None:
        """End the zygotes; one that still cleans up does so while the next program runs in new ones."""
        if self.clean or self._sandbox.scratch:
            self.close()
            return
        for slot in self._cleaning:  # no more than one after the other
            slot.process.wait()
        self._end_cleaning()
        self._cleaning, self._slots = list(self._slots.values()), {}
        self._cleaned, self._folders = self._folders, []
        for slot in self._cleaning:
            slot.let_go()

    def tidy(self) -> None:
        """Make ready for the next program: new zygotes where one still cleans up; what has done so goes."""
        if not self.clean:
            self.renew()
        elif self._cleaning and all(slot.process.poll() is not None for slot in self._cleaning):
            self._end_cleaning()

    def close(self) -> None:
        """End the zygotes; the next program starts new ones."""
        slots, self._slots = self._slots, {}
        for slot in slots.values():
            slot.close()
        for folder in self._folders:
            folder.close()
        self._folders.clear()
        self._end_cleaning()
        if self._sandbox.scratch:
            scratch.empty(self._sandbox.scratch)

    def _end_cleaning(self) -> None:
        for slot in self._cleaning:
            slot.close()
        for folder in self._cleaned:
            folder.close()
        self._cleaning, self._cleaned = [], []


def _folders(packages: list[str]) -> list[str]:
    """Return the folders of packages, with those that carry their libraries.

    Raises:
        OptionError: one is not installed.
    """
    from importlib.util import find_spec
    from pathlib import Path

    found: list[str] = []
    for name in packages:
        with contextlib.suppress(ImportError, ValueError):
            spec = find_spec(name)
            if spec is not None and spec.has_location and not spec.submodule_search_locations:
                found.append(os.path.realpath(str(spec.origin)))
                continue
            if spec is not None and spec.submodule_search_locations:
                folder = Path(next(iter(spec.submodule_search_locations))).resolve()
                beside = [path for path in (folder, folder.with_name(f"{folder.name}.libs")) if path.is_dir()]
                found += map(str, beside)
                continue
        raise OptionError(f"sandbox local: the package {name!r} is not installed here: pip install {name}")
    return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
