"""The languages beside Python: how a program is compiled and run."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One language.

    Args:
        file: where the program's text is put.
        run: the command that runs it.
        compile: the command that compiles it first; empty for none.
        extra_mb: MiB that its runtime needs beside the program's limit.
        compile_s: seconds that compiling may take.
    """

    file: str
    run: tuple[str, ...]
    compile: tuple[str, ...] = ()
    extra_mb: int = 0
    compile_s: float = 20.0

    @property
    def needs(self) -> str:
        """The program that must be installed."""
        return (self.compile or self.run)[0]


LANGUAGES = {
    "c": Language(
        "/tmp/program.c",
        ("/tmp/program",),
        ("gcc", "-O2", "-std=c17", "-o", "/tmp/program", "/tmp/program.c", "-lm"),
    ),
    "cpp": Language(
        "/tmp/program.cpp",
        ("/tmp/program",),
        ("g++", "-O2", "-std=c++20", "-o", "/tmp/program", "/tmp/program.cpp"),
    ),
    "javascript": Language("/tmp/program.js", ("node", "/tmp/program.js"), extra_mb=1536),
}
ALIASES = {"py": "python", "python3": "python", "c++": "cpp", "js": "javascript", "node": "javascript"}


def installed(path: str = "/usr/local/bin:/usr/bin:/bin") -> dict[str, Language]:
    """Return the languages whose compiler or interpreter is in one of these folders, with full paths."""
    found = {}
    for name, language in LANGUAGES.items():
        place = shutil.which(language.needs, path=path)
        if place:
            compile_ = (place, *language.compile[1:]) if language.compile else ()
            run = language.run if language.compile else (place, *language.run[1:])
            found[name] = Language(language.file, run, compile_, language.extra_mb, language.compile_s)
    return found
