"""Programs in languages beside Python: each is one process, and none harms the server or the next program."""

from collections.abc import Iterator

import pytest

import hub
from hub.sandbox import Verdict
from hub_local.languages import installed
from hub_local.sandbox import LocalSandbox
from tests.sandboxes.hub_local.conftest import GIVEN

PASSED, FAILED, ERROR, TIMEOUT, MEMORY, KILLED, OUTPUT_LIMIT = Verdict
ADDS = {
    "c": '#include <stdio.h>\nint main(void) { puts("5"); return 0; }\n',
    "javascript": "console.log(5)\n",
}
HOSTILE = {
    "an interrupt for the server": (
        "c",
        "#include <signal.h>\nint main(void) { return kill(1, SIGINT) ? 2 : 3; }",
        (ERROR,),
    ),
    "every signal for the server": (
        "c",
        "#include <signal.h>\nint main(void) { for (int n = 1; n < 65; n++) kill(1, n); return 3; }",
        (ERROR,),
    ),
    "an interrupt for the server, of node": ("javascript", "process.kill(1, 'SIGINT')", (PASSED, ERROR)),
    "a limit of open files for the server": (
        "c",
        "#define _GNU_SOURCE\n#include <sys/resource.h>\n"
        "int main(void) { struct rlimit r = {100, 100}; return prlimit(1, RLIMIT_NOFILE, &r, 0) ? 3 : 0; }",
        (ERROR,),
    ),
    "a processor for the server": (
        "c",
        "#define _GNU_SOURCE\n#include <sched.h>\nint main(void) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(0, &s); "
        "return sched_setaffinity(1, sizeof s, &s) ? 3 : 0; }",
        (ERROR,),
    ),
    "a namespace of its own": (
        "c",
        "#define _GNU_SOURCE\n#include <sched.h>\n#include <signal.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
        "int main(void) { long r = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); "
        "if (r == 0) _exit(0); return r < 0 ? 3 : 0; }",
        (ERROR,),
    ),
    "six times its memory, in six processes": (
        "c",
        "#include <stdlib.h>\n#include <string.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
        "int main(void) { for (int i = 0; i < 6; i++) if (fork() == 0) { char *p = malloc(40 << 20); "
        "if (p) memset(p, 1, 40 << 20); _exit(p ? 0 : 1); } "
        "int bad = 0, s; while (wait(&s) > 0) bad += 1; return bad == 6 ? 0 : 3; }",
        (ERROR,),
    ),
    "shared memory beyond its limit": (
        "c",
        "#include <sys/mman.h>\n#include <string.h>\nint main(void) { "
        "char *p = mmap(0, 100 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); "
        "if (p == MAP_FAILED) return 3; memset(p, 1, 100 << 20); return 0; }",
        (ERROR,),
    ),
    "processes without end": ("c", "#include <unistd.h>\nint main(void) { for (;;) fork(); }", (TIMEOUT,)),
    "programs of node": (
        "javascript",
        "const {spawnSync} = require('child_process'); process.exit(spawnSync('/bin/true').error ? 3 : 0)",
        (ERROR,),
    ),
    "it does not compile": ("c", "int main(", (ERROR,)),
    "it prints its errors without end": ("c", "#warning x\n#include __FILE__\n", (ERROR,)),
}


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    if not GIVEN["namespaces"]:
        pytest.skip("this machine refuses namespaces")
    sandbox = hub.open_sandbox("local", require=["namespaces"], slots=1)
    assert isinstance(sandbox, LocalSandbox)
    yield sandbox
    sandbox.close()


def needs(language: str) -> None:
    if language not in installed():
        pytest.skip(f"no compiler or interpreter of {language} here")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_program_harms_neither_its_server_nor_the_next(box: LocalSandbox, name: str) -> None:
    language, source, verdicts = HOSTILE[name]
    needs(language)
    seconds = 1.0 if verdicts == (TIMEOUT,) else 20.0
    done = box.run(hub.Program(source, language), hub.Limits(wall_s=seconds, memory_mb=64))
    assert done.verdict in verdicts, done
    assert done.exit_code in (0, 1, 3, None), done
    for _ in range(3):
        after = box.run(hub.Program(ADDS[language], language, expected_stdout="5"), hub.Limits(wall_s=20))
        assert after.verdict is PASSED, after


def test_an_empty_program_of_node_is_run(box: LocalSandbox) -> None:
    needs("javascript")
    done = box.run(hub.Program("", "javascript", expected_stdout=""), hub.Limits(wall_s=20))
    assert done.verdict is PASSED, done


def test_threads_of_a_program_work(box: LocalSandbox) -> None:
    needs("cpp")
    source = (
        "#include <iostream>\n#include <thread>\n#include <vector>\n#include <atomic>\nint main() { "
        "std::atomic<int> n{0}; std::vector<std::thread> all; for (int i = 0; i < 8; i++) "
        "all.emplace_back([&] { n++; }); for (auto &one : all) one.join(); std::cout << n; }"
    )
    done = box.run(hub.Program(source, "cpp", expected_stdout="8"), hub.Limits(wall_s=20))
    assert done.verdict is PASSED, done
