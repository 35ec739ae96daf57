"""``make audit``: what a release is made of, and what is known against it.

Writes dist/monitor-VERSION.cdx.json, a bill of materials (CycloneDX) of requirements.lock with its
hashes; the same bytes each time. Then asks an advisory service about each pin: PyPI's own, or OSV's.

Exit status 0: all was looked up, and nothing is known against it; 1: something is; 2: no service
could be asked, or not about everything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import monitor

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
SERVICES = ("pypi", "osv")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a service said."""

    status: int
    lines: Sequence[str]


def bill(lock: Path, into: Path) -> int:
    """Write the bill of materials of a lock file; how many packages it lists."""
    into.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(lock)]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"]
    command += ["--output-reproducible", "--output-format", "JSON", "--output-file", str(into)]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - our own words
    return len(json.loads(into.read_bytes())["components"])


def asked(service: str) -> Any:
    """What a service says of each pin; None where it can't be asked."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes"]
    command += ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command += ["--vulnerability-service", service, "--timeout", "10"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None


def judged(dependencies: Any) -> Verdict:
    """The verdict on what a service said; None: it said nothing."""
    known = [each for each in dependencies or () if "skip_reason" not in each]
    if not known:
        return Verdict(2, ["No advisory service can be reached from here: nothing was looked up."])
    lines = [
        f"{each['name']} {each['version']}: {one['id']},"
        f" mended in {', '.join(one['fix_versions']) or 'no version yet'}"
        for each in known
        for one in each["vulns"]
    ]
    left = len(dependencies) - len(known)
    lines += [f"{left} packages could not be looked up."] if left else []
    lines += [] if lines else [f"Nothing is known against any of {len(known)} packages."]
    return Verdict(1 if any(each["vulns"] for each in known) else 2 if left else 0, lines)


def main() -> None:
    """Write and ask."""
    file = ROOT / "dist" / f"monitor-{monitor.__version__}.cdx.json"
    print(f"{file.relative_to(ROOT)}: {bill(LOCK, file)} packages")
    verdict = judged(None)
    for service in SERVICES:
        verdict = judged(asked(service))
        if verdict.status != 2:
            break
    print("\n".join(verdict.lines))
    sys.exit(verdict.status)


if __name__ == "__main__":
    main()
