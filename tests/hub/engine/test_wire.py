"""The shared region: what a reader in another process sees is always something that was written."""

import subprocess
import sys
import tempfile
from mmap import mmap

from hub.engine import wire

WRITER = """
import sys
from mmap import mmap
from hub.engine import wire
cells = wire.cells(mmap(int(sys.argv[1]), wire.REGION_BYTES))
for number in range(1 << 33, (1 << 33) + 1_000_000):
    cells[wire.START] = number
    cells[wire.UNIT] = number
"""


def test_a_start_is_never_seen_half_written() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(wire.REGION_BYTES)
        with mmap(file.fileno(), wire.REGION_BYTES) as region:
            with wire.cells(region) as cells:
                cells[wire.START] = cells[wire.UNIT] = 1 << 33
            command = [sys.executable, "-c", WRITER, str(file.fileno())]
            with subprocess.Popen(command, pass_fds=[file.fileno()]) as writer:
                last = 0
                while writer.poll() is None:
                    start = wire.PROGRESS.unpack_from(region)[wire.START]
                    assert last <= start
                    assert start >= 1 << 33
                    last = start
            assert writer.returncode == 0
            assert wire.PROGRESS.unpack_from(region)[wire.UNIT] == (1 << 33) + 999_999
