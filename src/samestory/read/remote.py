"""File systems of other places: S3 and the other object stores by PyArrow, the web and the rest by fsspec."""

from __future__ import annotations

import functools
import os
import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from samestory.errors import InputError, MissingDependencyError
from samestory.read.addresses import check_no_password, presentable, scheme_of

A = TypeVar("A")

CONTACT_SECONDS: Final = 60.0
"""Time for the first answer of a place."""

_CONNECT_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 10.0  # in a read; three times that of S3, which is asked again
_WEB_SILENT_SECONDS: Final = 25.0
_RETRY_SECONDS: Final = 20.0  # of Google's library, whose own idea is a quarter of an hour
_WEB: Final = ("http", "https")
_HADOOP: Final = ("hdfs", "viewfs")
NAMED_BY_PATH: Final = (fs.S3FileSystem, fs.GcsFileSystem)
"""File systems where a path with the scheme before it is an address."""

_BY_ARROW: Final = ("s3", "gs", "gcs", "abfs", "abfss", *_HADOOP)


def is_web(given: str) -> bool:
    """Whether an address is one of the web, which has files but no directories."""
    return scheme_of(given) in _WEB


def connect(given: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of an address, and the path there.

    Parameters
    ----------
    given : str
        As the user named it; it may hold wildcards after its first ``/``.

    Raises
    ------
    InputError
        Nothing is known of such addresses, or it holds a password.
    MissingDependencyError
        What reads them is not installed.
    """
    check_no_password(given)
    scheme = scheme_of(given)
    if scheme is None:
        return fs.LocalFileSystem(), given
    if scheme not in _BY_ARROW:
        return _by_fsspec(given, scheme)
    authority, _, rest = given.partition("://")[2].partition("/")
    if not authority and scheme not in _HADOOP:
        raise InputError(f"{given}: names no bucket", hint=f"for example {scheme}://bucket/folder/*.jsonl")
    if any(mark in authority for mark in "*?["):
        raise InputError(f"{given}: a bucket's name cannot hold wildcards", hint="name one bucket")
    settings = tuple(
        os.environ.get(name, "")
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
    )
    filesystem, base = promptly(lambda: _open_store(scheme, authority, settings))
    # As PyArrow has it, a per cent sign begins a character in hexadecimal digits.
    return filesystem, f"{base.rstrip('/')}/{unquote(rest)}" if rest else base


@functools.lru_cache(maxsize=64)
def _open_store(scheme: str, authority: str, settings: tuple[str, ...]) -> tuple[fs.FileSystem, str]:
    if scheme == "s3":
        return _s3(authority, *settings), authority
    if scheme in ("gs", "gcs"):
        anonymous = authority.startswith("anonymous@")
        store = fs.GcsFileSystem(anonymous=anonymous, retry_time_limit=timedelta(seconds=_RETRY_SECONDS))
        return store, authority.removeprefix("anonymous@")
    filesystem, base = fs.FileSystem.from_uri(f"{scheme}://{authority}/")
    return filesystem, base


def _s3(bucket: str, endpoint_s3: str, endpoint: str, region: str, default_region: str) -> fs.S3FileSystem:
    # PyArrow looks for the endpoint in the environment only if it is given an address.
    address = (endpoint_s3 or endpoint).rstrip("/")
    scheme, found, host = address.rpartition("://")
    place = region or default_region
    if not place:
        # Elsewhere regions mean nothing; but without one it would be looked for, and long.
        place = "us-east-1" if address else fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        region=place,
        endpoint_override=host or None,
        scheme=scheme if found else None,
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_SILENT_SECONDS,
    )


def promptly(call: Callable[[], A]) -> A:
    """Return what a call returns, if it does so in `CONTACT_SECONDS`.

    Raises
    ------
    OSError
        It does not.
    """
    answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((True, call()))
        except BaseException as error:
            answers.put((False, error))

    # Some libraries wait for minutes, and nothing ends a thread: it is left behind.
    threading.Thread(target=work, name="samestory-contact", daemon=True).start()
    try:
        is_good, answer = answers.get(timeout=CONTACT_SECONDS)
    except queue.Empty:
        raise OSError(f"no answer within {CONTACT_SECONDS:g} s") from None
    if not is_good:
        raise answer
    return answer  # type: ignore[no-any-return]


def _by_fsspec(given: str, scheme: str) -> tuple[fs.FileSystem, str]:
    what = presentable(given)
    try:
        import fsspec
    except ImportError as error:
        raise MissingDependencyError(
            f"{what}: reading {scheme} addresses needs fsspec, which is not installed",
            hint="pip install 'samestory[remote]'",
        ) from error
    try:
        filesystem, path = fsspec.core.url_to_fs(given, **_options(scheme))
    except ImportError as error:
        needed = " ".join(str(error).split())
        hint = "pip install 'samestory[remote]'" if scheme in _WEB else "pip install what it names"
        raise MissingDependencyError(f"{what}: a package is not installed: {needed}", hint=hint) from error
    except ValueError as error:
        raise InputError(
            f"{what}: no file system is known for {scheme}", hint="check the beginning of the address"
        ) from error
    return fs.PyFileSystem(_Translated(filesystem)), path


def _options(scheme: str) -> dict[str, Any]:
    if scheme not in _WEB:
        return {}
    import aiohttp

    limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_WEB_SILENT_SECONDS)
    # What is packed stays packed, whatever the server says of it: the file's name tells.
    return {
        "client_kwargs": {"timeout": limits, "auto_decompress": False},
        "headers": {"Accept-Encoding": "identity"},
    }


class _Translated(fs.FSSpecHandler):  # type: ignore[misc]
    """Another library's file system whose errors are those of the system."""

    def get_file_info(self, paths: list[str]) -> list[fs.FileInfo]:
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: fs.FileSelector) -> list[fs.FileInfo]:
        return _translated(lambda: super(_Translated, self).get_file_info_selector(selector))

    def open_input_stream(self, path: str) -> pa.NativeFile:
        # Of the web one request for all of it: not every server gives parts.
        return self._open(path, {"block_size": 0} if is_web(path) else {})

    def open_input_file(self, path: str) -> pa.NativeFile:
        return self._open(path, {})

    def _open(self, path: str, settings: dict[str, Any]) -> pa.NativeFile:
        file = _translated(lambda: self.fs.open(path, mode="rb", **settings))
        return pa.PythonFile(_TranslatedFile(file), mode="r")

    def _info(self, path: str) -> fs.FileInfo:
        try:
            info = _translated(lambda: self.fs.info(path))
        except FileNotFoundError as error:
            # Of the web's files it says so whatever happened.
            cause = error.__cause__
            if (
                cause is None
                or isinstance(cause, FileNotFoundError)
                or getattr(cause, "status", 0) in (404, 410)
            ):
                return fs.FileInfo(path, fs.FileType.NotFound)
            raise OSError(f"{type(cause).__name__}: {cause}") from error
        return self._create_file_info(path, info)


class _TranslatedFile:
    """A file whose errors are those of the system."""

    def __init__(self, file: Any) -> None:
        self._file = file

    @property
    def closed(self) -> bool:
        return bool(self._file.closed)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def read(self, size: int = -1) -> bytes:
        return bytes(_translated(lambda: self._file.read(size)))

    def seek(self, *place: int) -> int:
        return int(_translated(lambda: self._file.seek(*place)) or 0)

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        _translated(self._file.close)


def _translated(call: Callable[[], A]) -> A:
    try:
        return call()
    except OSError:
        raise
    except Exception as error:  # of any library there is
        raise OSError(f"{type(error).__name__}: {error}") from error
