"""One service per SQLite file: what is leased in it may be given back at a start."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from monitor.errors import StorageError
from monitor.storage.address import read_address
from monitor.storage.migrate import make_folder


@contextlib.contextmanager
def exclusive(url: str) -> Iterator[None]:
    """Be the only service on this database, while in the context. Nothing to do on PostgreSQL.

    Holds a lock of the operating system on `<file>.lock`, which ends with the process, however
    that ends. Raises `StorageError` naming the process that holds it.
    """
    address = read_address(url)
    if address.path is None:
        yield
        return
    make_folder(address)
    path = address.path.with_name(f"{address.path.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            f"database {address}: {path} can't be written ({error.strerror}): "
            "let this user write the folder"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            raise StorageError(
                f"another monitor (pid {pid}) is using {address}: stop it, or name another database"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        # the file stays: to remove it would let a third process lock another of the same name
        yield
    finally:
        os.close(descriptor)
