"""Signatures of what is sent to other programs: Standard Webhooks 1.0.0, the symmetric scheme. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

SECRET_PREFIX = "whsec_"  # noqa: S105 the word that secrets begin with, no secret
SECRET_BYTES = range(24, 65)


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: ``whsec_`` and 24 to 64 bytes in base64. Else ValueError."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"must begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) not in SECRET_BYTES:
        raise ValueError(f"must be {SECRET_PREFIX} and 24 to 64 bytes in base64")
    return key


def signature(key: bytes, event: str, timestamp: int, body: bytes) -> str:
    """What proves that a body is ours: ``v1,`` and the HMAC-SHA256 over id, time and body."""
    signed = f"{event}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
