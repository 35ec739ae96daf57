"""Asks a service for its health, with nothing of the service: a container does so twice a minute."""

from __future__ import annotations

import http.client
import json


def ask(host: str, port: int) -> tuple[bool, str]:
    """Whether the service of this machine that serves there is alive, and a sentence about it."""
    # what is bound to every interface is asked on this machine's own
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 asked, not bound
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz"
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or error
        return False, f"no service answers at {address}: {reason}"
    finally:
        connection.close()
    try:
        said = str(json.loads(body)["reason"])
    except (ValueError, KeyError, TypeError):
        return False, f"{address} answers {status}: is another program on that port?"
    return status == http.HTTPStatus.OK, said
