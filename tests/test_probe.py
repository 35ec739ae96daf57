"""A container asks for its service's health twice a minute: it must cost next to nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from monitor.probe import ask
from tests.webserver import Reply, WebServer, running


@pytest.mark.parametrize(
    ("reply", "is_well", "said"),
    [
        (Reply('{"ok": true, "reason": "It ticks."}'), True, "It ticks."),
        (Reply('{"ok": false, "reason": "It stands."}', status=503), False, "It stands."),
        (Reply("<html>", status=200), False, "answers 200: is another program on that port?"),
        (Reply("[]", status=404), False, "answers 404: is another program on that port?"),
    ],
)
def test_what_a_service_says_of_itself(reply: Reply, is_well: bool, said: str) -> None:
    """Alive, hung, or another program."""
    with running(WebServer()) as server:
        server.route("/healthz", reply)
        port = int(server.url("").rpartition(":")[2].strip("/"))
        found = ask("0.0.0.0", port)
    assert found[0] is is_well
    assert said in found[1]


def test_where_nobody_answers_it_is_said() -> None:
    """With the address that was asked."""
    assert ask("::1", 9)[1].startswith("no service answers at http://[::1]:9/healthz: ")


def test_in_a_container_nothing_else_is_loaded() -> None:
    """Neither the configuration nor its checks: the image says the port."""
    program = (
        "import sys; sys.argv = ['monitor', 'healthcheck']\n"
        "from monitor.__main__ import main\n"
        "try: main()\n"
        "finally: print(sorted({'monitor.cli', 'pydantic', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"MONITOR_WEB_PORT": "9", "MONITOR_WEB_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert done.stderr.startswith("monitor: no service answers at http://127.0.0.1:9/healthz")
