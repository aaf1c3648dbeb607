"""Asks a server that speaks SandboxFusion's protocol, again where it is its fault.

The shapes are those of bytedance/SandboxFusion at 469de08, sandbox/server/sandbox_api.py and
sandbox/runners/types.py: `POST /run_code` with RunCodeRequest, answered with RunCodeResponse.
"""

import asyncio
import random
import threading
from concurrent.futures import CancelledError
from typing import Any

from hub.errors import BadInput, MissingDependency, SandboxOverloaded, SandboxUnavailable

_LONGEST_WAIT_S = 10.0
_BUSY = (429, 503)
_AGAIN = (408, 425, 500, 502, 504)


class Client:
    """Sends programs to one server.

    Args:
        url: where it is, e.g. "http://127.0.0.1:8080".
        retries: how often a request is repeated that failed by the server's or the network's fault.
        wait_s: seconds before the first repetition; doubled before each further one, give or take half.
        headers: sent with every request, e.g. {"Authorization": "Bearer …"}.
        connections: how many at once.
    """

    def __init__(
        self, url: str, retries: int, wait_s: float, headers: dict[str, str], connections: int
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingDependency(
                "the sandbox sandboxfusion needs httpx: pip install 'posttrain-hub[sandboxfusion]'"
            ) from None
        self.url, self.retries, self.wait_s = url.rstrip("/"), retries, wait_s
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(headers=headers, limits=limits)
        # A loop of its own, for a request that waits in a thread cannot be ended from another one.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hub-sandboxfusion", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._closed = False

    def run_code(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Have one program run; returns the server's answer, whose status is "Success" or "Failed".

        Raises:
            SandboxUnavailable: the server could not be reached, broke, or could not run the program.
            SandboxOverloaded: it has no capacity.
            BadInput: it refuses the request.
        """
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed; open another")
            asking = asyncio.run_coroutine_threadsafe(self._persist(request, timeout_s), self._loop)
        try:
            return asking.result()
        except CancelledError:
            raise SandboxUnavailable("the sandbox was closed while the program ran") from None
        finally:
            asking.cancel()

    async def _persist(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        attempt = 0
        while True:
            try:
                return await self._ask(request, timeout_s)
            except _Again as again:
                if attempt == self.retries:
                    raise again.error from again.__cause__
                wait = self.wait_s * 2**attempt if again.wait_s is None else again.wait_s
            attempt += 1
            await asyncio.sleep(min(wait, _LONGEST_WAIT_S) * random.uniform(0.5, 1.5))

    async def _ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        import httpx

        where = f"{self.url}/run_code"
        try:
            response = await self._http.post(
                where, json=request, timeout=httpx.Timeout(timeout_s, connect=5.0)
            )
        except httpx.InvalidURL as error:
            raise SandboxUnavailable(f"{where} is no address: {error}") from error
        except httpx.HTTPError as error:
            raise _Again(
                SandboxUnavailable(
                    f"no sandbox server answers at {where}: {type(error).__name__}: {error}. Is it started, "
                    "and is the address right?"
                )
            ) from error
        if response.status_code in _BUSY:
            raise _Again(
                SandboxOverloaded(f"the sandbox server at {where} has no capacity ({response.status_code})"),
                _retry_after(response.headers.get("Retry-After")),
            )
        if response.status_code in _AGAIN:
            raise _Again(
                SandboxUnavailable(f"{where} answered {response.status_code}: {response.text[:300]}")
            )
        if response.status_code in (400, 413, 422):
            raise BadInput(f"the sandbox server refuses the program: {response.text[:500]}")
        if response.status_code != 200:
            raise SandboxUnavailable(f"{where} answered {response.status_code}: {response.text[:300]}")
        return self._checked(response, where)

    def _checked(self, response: Any, where: str) -> dict[str, Any]:
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("status") not in ("Success", "Failed", "SandboxError"):
            raise _Again(SandboxUnavailable(f"{where} answered what is not SandboxFusion's protocol"))
        if answer["status"] == "SandboxError":
            raise _Again(
                SandboxUnavailable(f"the sandbox server failed: {str(answer.get('message'))[-300:]}")
            )
        return answer

    def close(self) -> None:
        """End the connections, and what waits for an answer."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._http.aclose()


class _Again(Exception):
    """What may succeed at another time."""

    def __init__(self, error: Exception, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait_s = error, wait_s


def _retry_after(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date
        return None
