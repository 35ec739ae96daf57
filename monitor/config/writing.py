"""A changed `feeds.toml` put into the file's place: whole or not at all, and over nobody's edit."""

from __future__ import annotations

import codecs
import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.config.document import content_of, decoded
from monitor.config.loading import load_text
from monitor.config.models import Settings
from monitor.errors import ConfigError, Mistake, Refused

CHANGED: Final = "was edited by somebody else meanwhile: nothing was written. Look at it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file as it was read."""

    text: str  # without a byte order mark; line ends as they are
    mark: str  # the same as long as the file is


def source(path: Path) -> Source:
    """The file, to be edited. Raises `ConfigError` if it can't be read."""
    content = content_of(path)
    return Source(text=decoded(path, content), mark=_mark(content))


def checked(text: str, path: Path, env: Mapping[str, str]) -> Settings:
    """The settings that this text would mean in the file's place.

    Raises `ConfigError` with every mistake, each with its line and column in this text.
    """
    return load_text(text, path, env)


def write(path: Path, text: str, mark: str, env: Mapping[str, str]) -> Settings:
    """Put this text in the file's place; returns what it means.

    Nothing is written unless the whole is a configuration without mistakes (`ConfigError`) and the
    file is still the one that had this mark (`Refused`). The new file is written beside the old
    one, flushed to the disk and renamed, with the mode and owner of the old one: who reads meanwhile
    reads one or the other. A link stays, and what it leads to is replaced.
    """
    settings = checked(text, path, env)
    target = Path(os.path.realpath(path))
    with _alone(target):
        old = content_of(target)
        if _mark(old) != mark:
            raise Refused(f"{path} {CHANGED}")
        bom = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        try:
            _replace(target, bom + text.encode())
        except OSError as error:
            raise ConfigError((Mistake(_why_not(path, error)),)) from None
    return settings


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep out whoever else writes in this way; editors, as ever, know nothing of it."""
    try:
        folder = os.open(target.parent, os.O_RDONLY)
    except OSError:  # a folder that can be passed through, not read
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(target: Path, content: bytes) -> None:
    old = target.stat()
    number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            new = os.fstat(number)
            if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
                os.chown(number, old.st_uid, old.st_gid)
            os.fchmod(number, old.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(number)
        Path(name).rename(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    with contextlib.suppress(OSError):  # not every file system can
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _why_not(path: Path, error: OSError) -> str:
    folder = Path(os.path.realpath(path)).parent
    match error.errno:
        case errno.EROFS:
            why = f"{folder} is mounted read-only"
        case errno.EBUSY | errno.EXDEV:
            why = "it is mounted as a single file: mount its folder instead"
        case errno.EPERM:
            why = "it belongs to another user, who would lose it"
        case errno.EACCES:
            why = f"this user may not write to {folder}"
        case _:
            why = error.strerror or type(error).__name__
    return f"{path} can't be written: {why}; edit it by hand, or where it may be written"
