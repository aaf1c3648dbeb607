"""What the reward service costs beside a bare endpoint, and what hostile samples cost the others.

Starts the service, two bare endpoints (starlette and uvicorn: decode the same JSON, by the standard library
or by msgspec, and send back constants of the same shape) and a load generator, each a process of its own, on
one machine: so they share its cores, and rates are lower than with a client elsewhere. Prints one table per
question; compare rows of one run only. Run it by hand: `python benchmarks/serve.py`.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

import hub

TEXT = "<think>seventeen and twenty-five</think> The sum of 17 and 25 is 42, so it is \\boxed{42}. " * 4
SALT = b"@@@@@@@@@@@@"
LIMIT_S = 0.2
CONCURRENCIES = (1, 16, 256, 2048)
ARRIVING = ((100.0, 1), (250.0, 1), (1000.0, 1), (250.0, 8), (1000.0, 8))
"""Open loops: samples that arrive per second, of which 1 % hang, and samples per request."""


@hub.reward(needs=["answer"], lane="inline")
def cheap(sample: hub.Sample) -> float:
    """A reward that costs next to nothing."""
    return float(sample["answer"] in sample.completion)


@hub.reward(needs=["answer"], timeout_s=LIMIT_S)
def checks(sample: hub.Sample) -> float:
    """Some 20 us of work in a worker process; never returns for a hostile sample."""
    while sample["answer"] == "hang":
        pass
    return float(sum(map(ord, sample.text)) % 2)


@dataclass(frozen=True)
class Load:
    """What the load generator is to do.

    Args:
        port: where.
        path: of the requests.
        batch: samples per request.
        concurrency: connections, each with at most one request under way.
        seconds: for how long.
        hostile: every so many samples one hangs, at most one of a request; 0: none.
        per_s: samples that arrive per second, at random times, whether or not those before are answered: an
            open loop, in which the time of a request counts from when it should have been sent. 0: a closed
            loop, in which each connection sends its next request when it has its answer.
    """

    port: int
    path: str
    batch: int
    concurrency: int
    seconds: float
    hostile: int = 0
    per_s: float = 0.0


@dataclass(frozen=True)
class Found:
    """What came of it.

    Args:
        rate: answered requests per second.
        answered: requests, those before the counting too.
        p50: median milliseconds of the requests without a hostile sample.
        p99: 99th percentile of the same.
        cpu: microseconds of the server process per answered request, which other work of the machine disturbs
            least; -1 where it was not measured.
        refused: requests that were answered with another status than 200.
    """

    rate: float
    answered: int
    p50: float
    p99: float
    refused: int
    cpu: float = -1.0


def body(batch: int, hostile: bool) -> bytes:
    """A request's body, to be salted so that no cache has seen it."""
    samples = [
        {
            "prompt": "What is 17 + 25?",
            "completion": f"{SALT.decode()} {index} {TEXT}",
            "columns": {"answer": "hang" if hostile and not index else "42"},
        }
        for index in range(batch)
    ]
    return json.dumps({"samples": samples}).encode()


class Connection(asyncio.Protocol):
    """One client; as little code as can be."""

    def __init__(self, generator: "Generator") -> None:
        self.generator = generator
        self.buffer = b""
        self.missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.generator.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.generator.idle:  # it had nothing to do for so long that the server closed it
            self.generator.idle.remove(self)

    def send(self, due: float) -> None:
        data, self.hostile = self.generator.request()
        self.due = due
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            self.buffer += data
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            length = re.search(rb"content-length: (\d+)", self.buffer[:end])
            assert length is not None
            self.fine = self.buffer.startswith(b"HTTP/1.1 200")
            self.missing = int(length[1]) + end + 4 - len(self.buffer)
            self.buffer = b""
        else:
            self.missing -= len(data)
        if self.missing == 0:
            self.missing = -1
            self.generator.answered(time.perf_counter() - self.due, self.hostile, self.fine)
            self.generator.free(self)


class Generator:
    """Sends requests for some seconds: as fast as they are answered, or as they arrive."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.bodies = [body(load.batch, hostile) for hostile in (False, True)]
        self.owed = 0.0
        self.count = 0
        self.times: list[float] = []
        self.done = self.refused = self.answers = 0
        self.counting = self.ended = False
        self.idle: list[Connection] = []
        self.waiting: deque[float] = deque()

    def free(self, connection: Connection) -> None:
        """Have a connection send what waits, or what is next."""
        if not self.load.per_s:
            connection.send(time.perf_counter())
        elif self.waiting:
            connection.send(self.waiting.popleft())
        else:
            self.idle.append(connection)

    def arrive(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have requests sent at random times, until the loop is closed.

        From a thread that sleeps, as the loop's clock has milliseconds only: to spin until the next is due
        would take from the server one of the cores that they share.
        """
        chance, mean_s = random.Random(1), self.load.batch / self.load.per_s
        due = time.perf_counter()
        with contextlib.suppress(RuntimeError):  # closed
            while True:
                due += chance.expovariate(1.0 / mean_s)
                time.sleep(max(0.0, due - time.perf_counter()))
                loop.call_soon_threadsafe(self.send, due)

    def send(self, due: float) -> None:
        """Send a request now, or when a connection is free."""
        if self.ended:
            return
        if self.idle:
            self.idle.pop().send(due)
        else:
            self.waiting.append(due)

    def request(self) -> tuple[bytes, bool]:
        self.count += 1
        self.owed += self.load.batch / self.load.hostile if self.load.hostile else 0.0
        hostile = self.owed >= 1.0
        self.owed -= hostile
        data = self.bodies[hostile].replace(SALT, b"%012d" % (self.count + time.time_ns() % 10**11))
        head = f"POST {self.load.path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(data)}\r\n\r\n"
        return head.encode() + data, hostile

    def answered(self, seconds: float, hostile: bool, fine: bool) -> None:
        self.answers += 1
        if self.counting:
            self.done += 1
            self.refused += not fine
            if not hostile:
                self.times.append(seconds)

    async def run(self) -> Found:
        loop = asyncio.get_running_loop()
        connections = []
        for _ in range(self.load.concurrency):
            connections.append(
                await loop.create_connection(lambda: Connection(self), "127.0.0.1", self.load.port)
            )
        if self.load.per_s:
            threading.Thread(target=self.arrive, args=(loop,), daemon=True).start()
        await asyncio.sleep(min(2.0, 0.5 + self.load.concurrency / 1000))  # the first answers are not counted
        self.counting, start = True, time.perf_counter()
        await asyncio.sleep(self.load.seconds)
        self.counting, seconds = False, time.perf_counter() - start
        self.ended = True
        for transport, _ in connections:
            transport.abort()
        self.times.sort()
        last = len(self.times) - 1
        p50, p99 = (self.times[round(last * q)] * 1000 if last >= 0 else float("nan") for q in (0.5, 0.99))
        return Found(self.done / seconds, self.answers, p50, p99, self.refused)


def generate(load: Load, results: "multiprocessing.Queue[Found]") -> None:
    import uvloop

    if load.per_s:
        with contextlib.suppress(OSError):  # as a client elsewhere, it does not wait for the server's cores
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    results.put(uvloop.run(Generator(load).run()))


def cpu_seconds(pid: int) -> float:
    """The time that a process has used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(load: Load, pid: int) -> Found:
    """Run one load in a process of its own.

    Args:
        load: what to ask for.
        pid: of the server.
    """
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Found] = context.Queue()
    process = context.Process(target=generate, args=(load, results))
    process.start()
    before = cpu_seconds(pid)
    found = results.get(timeout=load.seconds + 120)
    used = cpu_seconds(pid) - before
    process.join()
    busy = -1.0
    while busy != (busy := cpu_seconds(pid)):  # what it still had to do for connections that are gone
        time.sleep(0.5)
    return replace(found, cpu=used / max(1, found.answered) * 1e6)


@contextlib.contextmanager
def started(command: list[str], port: int) -> Iterator[int]:
    """Run a server until the end of the block; gives its process id."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None:
                    log.seek(0)
                    raise SystemExit(log.read().decode())
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def bare(port: int, codec: str) -> None:
    """The endpoint to compare with: the same stack, the same JSON in, JSON of the same shape out.

    Args:
        port: where.
        codec: "json": as starlette reads and writes JSON by itself; "msgspec": as fast as it can be done,
            with the library that the service uses.
    """
    import msgspec
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    score = {"value": 1.0, "outcome": "scored", "reason": ""}
    result = {"id": None, "score": 1.0, "outcome": "scored", "reason": "", "scores": {"cheap": score}}

    async def answer(request: Request) -> Response:
        samples = (await request.json())["samples"]
        return JSONResponse({"results": [{**result, "weighted": {"cheap": 1.0}} for _ in samples]})

    async def answer_fast(request: Request) -> Response:
        samples = decode(await request.body())["samples"]
        body = encode({"results": [{**result, "weighted": {"cheap": 1.0}} for _ in samples]})
        return Response(body, media_type="application/json")

    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    endpoint = answer_fast if codec == "msgspec" else answer
    app = Starlette(routes=[Route("/v1/mixes/{name}/score", endpoint, methods=["POST"])])
    config = uvicorn.Config(
        app,
        port=port,
        http="httptools",
        loop="uvloop",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=3600,
    )
    uvicorn.Server(config).run()


@dataclass(frozen=True)
class Server:
    """A server that listens.

    Args:
        name: for the tables.
        port: where.
        pid: its process.
    """

    name: str
    port: int
    pid: int

    def measure(
        self, mix: str, batch: int, concurrency: int, seconds: float, hostile: int = 0, per_s: float = 0.0
    ) -> Found:
        """Run one load; the bare ones answer the same for every mix."""
        path = f"/v1/mixes/{mix}/score"
        return measure(Load(self.port, path, batch, concurrency, seconds, hostile, per_s), self.pid)


def compare(servers: list[Server], seconds: float, rounds: int, console: Console) -> None:
    """The service, which is the last, beside bare endpoints, with a reward that costs next to nothing."""
    for batch in (1, 64):
        table = Table(title=f"a reward that costs next to nothing, {batch} samples per request")
        for title in ("concurrent requests", "", "requests/s", "p50 ms", "p99 ms", "CPU us"):
            table.add_column(title, justify="right")
        table.add_column("rate of the service / this", justify="right")
        table.add_column("CPU of this / the service", justify="right")
        for concurrency in CONCURRENCIES:
            best: dict[str, Found] = {}
            for _ in range(rounds):  # in turns, as others use the machine too
                for server in servers:
                    found = server.measure("cheap", batch, concurrency, seconds)
                    if server.name not in best or found.rate > best[server.name].rate:
                        best[server.name] = found
            service = best[servers[-1].name]
            for name, found in best.items():
                row = (f"{found.rate:.0f}", f"{found.p50:.2f}", f"{found.p99:.2f}", f"{found.cpu:.0f}")
                ratios = (f"{service.rate / found.rate:.2f}", f"{found.cpu / service.cpu:.2f}")
                table.add_row(str(concurrency), name, *row, *(ratios if found is not service else ("", "")))
            table.add_section()
        console.print(table)


@contextlib.contextmanager
def busy(count: int, policy: int = os.SCHED_OTHER) -> Iterator[None]:
    """Keep processes spinning until the end of the block.

    Args:
        count: how many.
        policy: of the scheduler. At the usual one each has a session of its own, as a worker has; one that is
            to be behind all others must be in theirs (sched(7), autogroup).
    """
    spins = f"import os\nos.sched_setscheduler(0, {policy}, os.sched_param(0))\nwhile True: pass"
    command = [sys.executable, "-c", spins]
    apart = policy == os.SCHED_OTHER
    spinning = [subprocess.Popen(command, start_new_session=apart) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def arriving(bare: Server, service: Server, seconds: float, rounds: int, console: Console) -> None:
    """Requests that arrive as they do, and do not wait for the answers to those before.

    The floor is what processes do to the bare endpoint that only spin, as many as hang at once on average: at
    the usual priority, and where the kernel runs them only when nobody else wants the core (SCHED_IDLE).
    """
    table = Table(
        title="samples arrive whether or not others are answered, and 1 % of them hang until killed "
        f"({LIMIT_S} s); the times are those of the other requests"
    )
    for title in ("samples/s", "cores they want", "per request", "", "p50 ms", "p99 ms", "p99 moves by"):
        table.add_column(title, justify="right")
    for per_s, batch in ARRIVING:
        found: dict[str, list[Found]] = {}
        long = max(seconds, min(20.0, 2000 * batch / per_s))  # or a 99th percentile is of too few requests
        wanted = per_s / 100 * LIMIT_S
        spinning = max(1, round(wanted))
        for _ in range(rounds):
            for name, server, hostile, policy in (
                ("service", service, 0, None),
                ("service, 1 % hang", service, 100, None),
                ("bare", bare, 0, None),
                (f"bare, {spinning} spin", bare, 0, os.SCHED_OTHER),
                (f"bare, {spinning} spin idly", bare, 0, os.SCHED_IDLE),
            ):
                with busy(spinning, policy) if policy is not None else contextlib.nullcontext():
                    one = server.measure("checks", batch, 256, long, hostile, per_s)
                found.setdefault(name, []).append(one)
        before = float("nan")
        for name, ones in found.items():
            p50, p99 = (statistics.median(getattr(one, what) for one in ones) for what in ("p50", "p99"))
            moved = f"{p99 / before - 1:+.0%}" if "," in name else ""
            before = before if moved else p99
            load = (f"{per_s:.0f}", f"{wanted:.1f}", str(batch)) if name == "service" else ("", "", "")
            table.add_row(*load, name, f"{p50:.2f}", f"{p99:.2f}", moved)
        table.add_section()
    console.print(table)


def hostile(bare: Server, service: Server, seconds: float, rounds: int, console: Console) -> None:
    """Requests without a hostile sample, while every hundredth sample hangs until it is killed.

    The floor is what as many processes that only spin do to the bare endpoint, as hang at once on average.
    """
    table = Table(
        title=f"1 % of samples hang until killed ({LIMIT_S} s); the times are those of the other requests"
    )
    for title in ("samples per request", "concurrent requests", "", "requests/s", "p50 ms", "p99 ms"):
        table.add_column(title, justify="right")
    table.add_column("p99 moves by", justify="right")
    for batch in (1, 64):
        for concurrency in CONCURRENCIES[:3]:
            best: dict[str, Found] = {}
            spinning = 0

            def note(name: str, found: Found, best: dict[str, Found] = best) -> Found:
                if name not in best or found.p99 < best[name].p99:
                    best[name] = found
                return found

            for _ in range(rounds):
                note("service", service.measure("checks", batch, concurrency, seconds))
                bad = note("1 % hang", service.measure("checks", batch, concurrency, seconds, 100))
                if concurrency > 1:
                    spinning = spinning or max(1, round(bad.rate * batch / 100 * LIMIT_S))
                    note("bare", bare.measure("checks", batch, concurrency, seconds))
                    with busy(spinning):
                        note(
                            f"{spinning} spin beside it", bare.measure("checks", batch, concurrency, seconds)
                        )
            before = float("nan")
            for index, (name, found) in enumerate(best.items()):
                moved = f"{found.p99 / before - 1:+.0%}" if index % 2 else ""
                before = found.p99
                row = (f"{found.rate:.0f}", f"{found.p50:.2f}", f"{found.p99:.2f}", moved)
                table.add_row(str(batch), str(concurrency), name, *row)
            table.add_section()
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each cell")
    parser.add_argument("--rounds", type=int, default=2, help="of each cell, of which the best counts")
    parser.add_argument("--bare", type=int, metavar="PORT", help="be the bare endpoint (used by itself)")
    parser.add_argument("--codec", choices=("msgspec", "json"), default="msgspec", help="of the bare one")
    parser.add_argument("--workers", type=int, help="of the service")
    parser.add_argument("--only", choices=("compare", "arriving", "hostile"))
    arguments = parser.parse_args()
    if arguments.bare:
        bare(arguments.bare, arguments.codec)
        return
    console = Console(width=150)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("cheap", "checks"):
            use = f"{Path(__file__).resolve()}:{name}"
            (Path(folder) / f"{name}.toml").write_text(f'[[reward]]\nuse = "{use}"\n')
        hub_command = str(Path(sys.executable).parent / "hub")
        serve = [hub_command, "serve", f"{folder}/cheap.toml", f"{folder}/checks.toml"]
        if arguments.workers:
            serve += ["--workers", str(arguments.workers)]
        one, two, three = free_port(), free_port(), free_port()
        be_bare = [sys.executable, __file__, "--bare"]
        with (
            started([*be_bare, str(one), "--codec", "json"], one) as json_pid,
            started([*be_bare, str(two), "--codec", "msgspec"], two) as msgspec_pid,
            started([*serve, "--port", str(three), "--no-access-log"], three) as pid,
        ):
            cores = len(os.sched_getaffinity(0))
            console.print(f"{cores} cores, load {os.getloadavg()[0]:.1f} before the start")
            plain = Server("bare", one, json_pid)
            service = Server("service", three, pid)
            if arguments.only in (None, "compare"):
                servers = [plain, Server("bare, msgspec", two, msgspec_pid), service]
                compare(servers, arguments.seconds, arguments.rounds, console)
            if arguments.only in (None, "arriving"):
                arriving(plain, service, arguments.seconds, arguments.rounds, console)
            if arguments.only in (None, "hostile"):
                hostile(plain, service, arguments.seconds, arguments.rounds, console)


if __name__ == "__main__":
    main()
