"""``python -m monitor`` is ``monitor``. Its health is asked without loading the rest of it."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line."""
    port = os.environ.get("MONITOR_WEB_PORT", "")
    if sys.argv[1:] == ["healthcheck"] and port.isdecimal():  # in a container: no file need be read
        from monitor.probe import ask  # noqa: PLC0415 the only thing that is needed

        is_well, said = ask(os.environ.get("MONITOR_WEB_HOST") or "127.0.0.1", int(port))
        sys.stdout.write(f"{said}\n") if is_well else sys.stderr.write(f"monitor: {said}\n")
        sys.exit(0 if is_well else 1)
    try:
        from monitor.cli import main as everything  # noqa: PLC0415 seconds, on a busy machine

        everything()
    except KeyboardInterrupt:  # most likely while it still loads
        sys.exit(130)


if __name__ == "__main__":
    main()
