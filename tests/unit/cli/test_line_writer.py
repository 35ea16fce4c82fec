"""Lines reach the terminal in order, all of them, and nobody waits for it without need."""

import threading

from durahost.cli import line_writer
from durahost.cli.line_writer import LineWriter

LIMIT_S = 30


class Terminal:
    """Takes what is written; `open` lets writes through, `reached` is set by each."""

    def __init__(self):
        self.text = ""
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self.reached = threading.Event()

    def write(self, text):
        self.begun.set()
        assert self.open.wait(LIMIT_S)
        self.text += text
        self.reached.set()


def test_lines_are_written_without_a_flush():
    terminal = Terminal()
    LineWriter(terminal.write).put("one\n")
    assert terminal.reached.wait(LIMIT_S)
    assert terminal.text == "one\n"


def test_a_flush_writes_at_once_what_waits():
    terminal = Terminal()
    writer = LineWriter(terminal.write)
    for number in range(100):
        writer.put(f"{number}\n")
    writer.flush()
    assert terminal.text == "".join(f"{number}\n" for number in range(100))
    writer.flush()
    assert terminal.text.endswith("99\n")


def test_threads_lose_no_line_and_keep_their_order():
    terminal = Terminal()
    writer = LineWriter(terminal.write)

    def work(name):
        for number in range(500):
            writer.put(f"{name} {number}\n")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    writer.flush()
    for name in "abc":
        own = [line for line in terminal.text.splitlines() if line.startswith(name)]
        assert own == [f"{name} {number}" for number in range(500)]


def test_a_terminal_that_stands_still_holds_up_neither_lines_nor_the_end():
    terminal = Terminal()
    terminal.open.clear()
    writer = LineWriter(terminal.write)
    writer.put("one\n")
    assert terminal.begun.wait(LIMIT_S)
    writer.put("two\n")
    writer.flush(limit_s=0.01)
    assert terminal.text == ""
    terminal.open.set()
    writer.flush(limit_s=LIMIT_S)
    assert terminal.text == "one\ntwo\n"


def test_who_writes_too_much_waits_for_the_terminal(monkeypatch):
    monkeypatch.setattr(line_writer, "MOST_WAITING", 3)
    terminal = Terminal()
    writer = LineWriter(terminal.write)
    for _ in range(10):
        writer.put("line\n")
        assert len(writer._waiting) <= 3
    writer.flush()
    assert terminal.text == "line\n" * 10
