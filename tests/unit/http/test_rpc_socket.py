"""Where the RPC endpoint listens."""

import socket

import pytest
from clocks import ManualClock

from durahost.http import rpc
from durahost.model.errors import ConfigError

pytestmark = pytest.mark.feature("Functions host", "Local RPC endpoint")


class FixedChance(ManualClock):
    def __init__(self, chance: int) -> None:
        super().__init__()
        self.chance = chance

    def random_bytes(self, count):
        return self.chance.to_bytes(count, "big")


@pytest.fixture
def taken():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_taken_port_gives_way_to_a_random_one(taken):
    chance = next(n for n in range(1000) if _is_free(30000 + n))
    listener, port = rpc.bind_rpc_socket(FixedChance(chance), first_port=taken)
    with listener:
        assert port == listener.getsockname()[1] == 30000 + chance
    assert rpc.rpc_base_url(port) == f"http://127.0.0.1:{port}/durabletask/"


def test_ten_attempts_and_no_more(monkeypatch, taken):
    monkeypatch.setattr(rpc, "FALLBACK_PORTS", range(taken, taken + 1))
    with pytest.raises(ConfigError) as caught:
        rpc.bind_rpc_socket(FixedChance(7), first_port=taken)
    text = "Unable to find a port to open an RPC endpoint on after 10 attempts"
    assert str(caught.value) == text


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
