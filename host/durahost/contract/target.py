"""What the cases run against: a host of our own with the fixture app, or any address.

What a target can do is found out by asking it; a case that needs more is skipped.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from durahost.contract.errors import ContractError
from durahost.contract.exchange import Answer, Request, Transport, connections, split_url
from durahost.contract.runner import KEY_HEADER, NO_KEY, WEBHOOK

FIXTURE_APP = Path(__file__).parent / "fixture_app"
HUB = "ContractHub"
OTHER_HUB = "ContractElsewhere"
KEYS_API = "/admin/host/"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
OWN_LIMIT_S, REMOTE_LIMIT_S = 30.0, 120.0
"""How long polled steps wait; a storage queue on Azure is looked at every half minute when idle."""

_DURAHOST = (sys.executable, "-m", "durahost")
_LISTENING = "Listening on "
_MASTER = "_master"
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 20.0
_READY = '"ready"'


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTarget:
    """A target at an address; see `runner.Target`."""

    origin: str
    code: str | None
    capabilities: frozenset[str]
    variables: Mapping[str, str]
    limit_s: float
    connections: Transport

    def send(self, request: Request) -> Answer:
        """Send one request. Errors: ContractError without an answer."""
        return self.connections.send(request)


@contextlib.contextmanager
def open_target(
    url: str,
    code: str | None = None,
    *,
    is_disposable: bool = False,
    limit_s: float,
    transport: Transport | None = None,
) -> Iterator[HttpTarget]:
    """A target at an address, once it answers.

    is_disposable: whether cases may delete instances that are not theirs. transport: what carries
    requests, HTTP over sockets by default.
    Errors: ContractError when it does not run the fixture app.
    """
    with connections() if transport is None else contextlib.nullcontext(transport) as opened:
        origin = split_url(url.rstrip("/"))[0]
        probe = _Probe(opened, origin, code)
        probe.wait_until_ready(limit_s)
        capabilities = set(probe.find_capabilities())
        if is_disposable:
            capabilities.add("disposable")
        yield HttpTarget(
            origin=origin,
            code=code,
            capabilities=frozenset(capabilities),
            variables=_variables(origin, code, probe.rpc),
            limit_s=limit_s,
            connections=opened,
        )


@contextlib.contextmanager
def own_host(*options: str, asks_for_keys: bool = False) -> Iterator[HttpTarget]:
    """A host of our own in a process of its own, on a free port, with the fixture app.

    options: more options of `durahost start`.
    Errors: ContractError with the host's output when it does not serve.
    """
    if asks_for_keys:
        options = (*options, "--enable-auth")
    with tempfile.TemporaryDirectory(prefix="durahost-contract-") as folder:
        app, output = Path(folder) / "app", Path(folder) / "output"
        write_app(app)
        command = [*_DURAHOST, "start", "--port", "0", "--no-reload", *options]
        with output.open("wb") as sink:
            process = subprocess.Popen(command, cwd=app, stdout=sink, stderr=subprocess.STDOUT)
        try:
            url = _wait_for_address(process, output)
            code = read_master_key(app) if asks_for_keys else None
            with open_target(url, code, is_disposable=True, limit_s=OWN_LIMIT_S) as target:
                yield target
        finally:
            _stop(process)


def write_app(folder: Path) -> None:
    """Write the fixture app, ready to be deployed.

    Errors: ContractError when the folder has files already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ContractError(f"The folder '{folder}' is not empty; name one that is new or empty.")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(FIXTURE_APP, folder, ignore=ignored, dirs_exist_ok=True)


def read_master_key(app: Path) -> str:
    """The master key of an app of this machine, as `durahost keys` shows it.

    Errors: ContractError when it shows none.
    """
    command = [*_DURAHOST, "keys", "--script-root", str(app)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=_START_LIMIT_S)
    for line in shown.stdout.splitlines():
        words = line.split()
        if _MASTER in words:
            return words[-1]
    raise ContractError(
        f"`durahost keys` shows no {_MASTER} key; it said:\n{shown.stdout}{shown.stderr}"
        "Is its output still a table of keys?"
    )


class _Probe:
    """Asks a target what it is."""

    def __init__(self, opened: Transport, origin: str, code: str | None) -> None:
        self.rpc = ""
        self._connections = opened
        self._origin = origin
        self._code = code

    def wait_until_ready(self, limit_s: float) -> None:
        """Ask until the fixture app runs an orchestration; hosts may start at the first request."""
        until = time.monotonic() + limit_s
        path = f"{WEBHOOK}/orchestrators/Return?timeout=10&pollingInterval=0.1"
        while True:
            answer = self._send("POST", path, body=b'{"output":"ready"}')
            if (answer.status, answer.text) == (200, _READY):
                return
            if answer.status in {401, 403}:
                raise ContractError(
                    f"{self._origin} refuses the key ({answer.status}); give the master key or the "
                    "system key durabletask_extension as --code."
                )
            if time.monotonic() >= until or answer.status not in {202, 502, 503}:
                raise ContractError(
                    f"{self._origin} does not run the contract app: its orchestrator Return gave "
                    f"{answer.status} {answer.text[:500]}. Write the app with `durahost contract "
                    "app DIR` and deploy it."
                )
            time.sleep(0.5)

    def find_capabilities(self) -> Iterator[str]:
        """What the target can do; see `cases.CAPABILITIES`."""
        hostname = urlsplit(self._origin).hostname
        is_local = hostname in LOOPBACK
        if is_local:
            yield "direct"
        keyless = self._send("GET", f"{WEBHOOK}/instances?top=1", code=None)
        yield "auth" if keyless.status == 401 else "open"
        elsewhere = self._send("GET", f"{WEBHOOK}/instances?top=1&taskHub={OTHER_HUB}")
        if elsewhere.status == 200:
            yield "another-hub"
        if self._send("GET", f"{KEYS_API}systemkeys").status == 200:
            yield "keys"
        binding = self._send("GET", "/api/binding")
        if binding.status != 200:
            return
        yield "functions"
        self.rpc = binding.json.get("rpcBaseUrl") or ""
        if self.rpc and is_local:
            yield "rpc"

    def _send(self, method: str, path: str, code: str | None = "", body: bytes = b"") -> Answer:
        key = self._code if code == "" else code
        headers = {} if key is None else {KEY_HEADER: key}
        request = Request(method=method, url=self._origin + path, headers=headers, body=body)
        return self._connections.send(request)


def _variables(origin: str, code: str | None, rpc: str) -> dict[str, str]:
    host = origin.partition("://")[2]
    return {
        "origin": origin,
        "host": host,
        "base": origin + WEBHOOK,
        "query": f"taskHub={HUB}&connection=Storage&code=<key>",
        "code": code or NO_KEY,
        "rpc": rpc,
        "rpc-origin": split_url(rpc)[0] if rpc else "",
    }


def _wait_for_address(process: "subprocess.Popen[bytes]", output: Path) -> str:
    until = time.monotonic() + _START_LIMIT_S
    while True:
        text = output.read_text(encoding="utf-8", errors="replace")
        if _LISTENING in text:
            url = text.partition(_LISTENING)[2].split()[0]
            return url.replace("localhost", "127.0.0.1")
        if process.poll() is not None or time.monotonic() >= until:
            raise ContractError(
                f"The host does not serve the contract app; its output was:\n{text}\n"
                "Does its environment have azure-functions and azure-functions-durable?"
            )
        time.sleep(0.02)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_LIMIT_S)
