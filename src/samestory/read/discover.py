"""From what the user names (files, directories, globs, URIs) to the files to read, in a fixed order."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from pyarrow import fs

from samestory.errors import InputError
from samestory.read.addresses import path_of, presentable, scheme_of
from samestory.read.files import EXTENSIONS, ONE_ARTICLE, Part, format_of, reading
from samestory.read.remote import NAMED_BY_PATH, connect, is_web, promptly

_MAGIC: Final = re.compile(r"[*?\[]")
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_RESULT: Final = {"clusters.parquet", "pairs.parquet"}
_RECORD: Final = "run.json"
_DATA: Final = "data.mdb"
_KNOWN: Final = ", ".join(EXTENSIONS)


def find_parts(inputs: list[str], forced: str | None) -> list[Part]:
    """Every file to read, in the order given and sorted within a directory or glob.

    Parameters
    ----------
    inputs : list of str
        Paths, globs and URIs.
    forced : str, optional
        Format of all files, where their names don't tell.

    Raises
    ------
    InputError
        Something is missing, empty, of an unknown format, or cannot be reached.
    MissingDependencyError
        A place needs a package that is not installed.
    """
    found: list[tuple[Part, str]] = []
    for given in inputs:
        found.extend(_expand(given, forced))
    names = [part.name for part, _ in found]
    if len(set(names)) == len(names):
        return [part for part, _ in found]
    # Two directories hold files of one name: only with the directory is it clear which is meant.
    return [part if part.format in ONE_ARTICLE else replace(part, name=full) for part, full in found]


@dataclass(frozen=True)
class _Place:
    """An input's place: its file system, its path there, and what names of files below begin with."""

    given: str
    filesystem: fs.FileSystem
    path: str
    prefix: str

    def look(self, path: str) -> fs.FileInfo:
        """What is there."""
        with reading(self.given, "an input"):
            if isinstance(self.filesystem, fs.LocalFileSystem):
                return self.filesystem.get_file_info(path)
            return promptly(lambda: self.filesystem.get_file_info(path))

    def below(self, root: str, *, allow_not_found: bool = False) -> list[fs.FileInfo]:
        """All that is in a directory."""
        selector = fs.FileSelector(root, recursive=True, allow_not_found=allow_not_found)
        with reading(self.given, "a directory"):
            return list(self.filesystem.get_file_info(selector))


def _expand(given: str, forced: str | None) -> Iterator[tuple[Part, str]]:
    """Files that one input stands for, each with the name that includes the input's own."""
    place = _resolve(given)
    info = place.look(place.path)
    if info.type == fs.FileType.File:
        yield _single(place, place.given, info, forced), place.given
    elif info.type == fs.FileType.Directory:
        yield from _directory(place, forced)
    elif _MAGIC.search(given) and not is_web(given):
        yield from _matches(place, given, forced)
    else:
        _check_bucket(place)
        raise InputError(f"{place.given}: no such file or directory", hint="check the path, or quote a glob")


def _resolve(given: str) -> _Place:
    scheme = scheme_of(given)
    shown = presentable(given)
    with reading(shown, "an address"):
        if scheme != "file":
            filesystem, path = connect(given)
            is_store = scheme is not None and isinstance(filesystem, NAMED_BY_PATH)
            return _Place(shown, filesystem, path, f"{scheme}://" if is_store else "")
        magic = _MAGIC.search(given)
        if magic is None:
            filesystem, path = fs.FileSystem.from_uri(given)
            return _Place(shown, filesystem, path, "")
        # A glob's characters are not legal in a URI: resolve the part before them.
        root, _, rest = given[: magic.start()].rpartition("/")
        filesystem, path = fs.FileSystem.from_uri(root)
        return _Place(shown, filesystem, posixpath.join(path, rest + given[magic.start() :]), "")


def _check_bucket(place: _Place) -> None:
    """Raise if it is the bucket that is missing."""
    bucket = place.path.partition("/")[0]
    if scheme_of(place.given) == "s3" and place.look(bucket).type == fs.FileType.NotFound:
        raise InputError(
            f"{place.given}: there is no bucket {bucket!r}",
            hint="check its name; of another S3 than Amazon's set AWS_ENDPOINT_URL",
        )


def _single(place: _Place, name: str, info: fs.FileInfo, forced: str | None) -> Part:
    """The part of a file that the user named."""
    kind, compression = format_of(path_of(info.path) if is_web(place.given) else info.path)
    kind = forced or kind
    if kind is None:
        raise InputError(
            f"{place.given}: the name does not tell the format",
            hint=f"use --format, or one of the endings {_KNOWN}",
        )
    return Part(name, info.path, place.filesystem, kind, compression, info.size or 0)


def _directory(place: _Place, forced: str | None) -> Iterator[tuple[Part, str]]:
    """Readable files under a directory that the user named."""
    parts = _files_below(place, place.path, forced)
    names = {part.name for part in parts}
    if names >= _RESULT and place.look(posixpath.join(place.path, _RECORD)).is_file:
        raise InputError(
            f"{place.given}: a result of samestory, not articles", hint="name the run's own inputs"
        )
    if not parts:
        what, hint = "empty", f"readable are {_KNOWN}; see also --format"
        if place.look(posixpath.join(place.path, _DATA)).is_file:
            what, hint = "an index of samestory", "samestory index export writes its clusters"
        raise InputError(f"{place.given}: {what}, no file in it that can be read", hint=hint)
    for part in parts:
        yield part, posixpath.join(place.given.replace(os.sep, "/"), part.name)


def _files_below(place: _Place, root: str, forced: str | None) -> list[Part]:
    """Readable files under a directory, sorted; partition columns told by its subdirectories."""
    parts = []
    for info in place.below(root):
        relative = posixpath.relpath(info.path.replace(os.sep, "/"), root.replace(os.sep, "/"))
        kind, compression = format_of(relative)
        hidden = any(step.startswith((".", "_")) for step in relative.split("/"))
        if info.is_file and not hidden and (forced or kind):
            kind = str(forced or kind)
            partitions = _partitions(relative) if kind == "parquet" else ()
            size = info.size or 0
            parts.append(Part(relative, info.path, place.filesystem, kind, compression, size, partitions))
    return sorted(parts, key=lambda part: part.name.split("/"))


def _partitions(relative: str) -> tuple[tuple[str, str | None], ...]:
    pairs = (step.partition("=") for step in relative.split("/")[:-1] if "=" in step)
    return tuple((unquote(key), None if value == _HIVE_NULL else unquote(value)) for key, _, value in pairs)


def _matches(place: _Place, given: str, forced: str | None) -> Iterator[tuple[Part, str]]:
    """Files that a glob matches, sorted; files of unknown format among them are passed over."""
    root = _fixed_root(place.path)
    n_found = 0
    for info in _remote_glob(place, root) if scheme_of(given) else _local_glob(place):
        name = place.prefix + info.path
        if info.type != fs.FileType.Directory:
            usable = forced or format_of(info.path)[0]
            parts = [_single(place, name, info, forced)] if usable else []
        elif "**" in place.path:
            parts = []  # The files below such a directory are matches themselves.
        else:
            below = _files_below(place, info.path, forced)
            parts = [replace(part, name=posixpath.join(name, part.name)) for part in below]
        for part in parts:
            n_found += 1
            # A file that is an article gives it its name, which is relative to where the glob starts.
            path = part.name.removeprefix(place.prefix).replace(os.sep, "/")
            inner = posixpath.relpath(path, root or ".")
            yield (replace(part, name=inner) if part.format in ONE_ARTICLE else part), part.name
    if not n_found:
        _check_bucket(place)
        raise InputError(
            f"{place.given}: empty, the glob matches no file that can be read",
            hint=f"check the pattern; readable are {_KNOWN}",
        )


def _fixed_root(pattern: str) -> str:
    """The directory that a glob starts from: what stands before its first wildcard."""
    magic = _MAGIC.search(pattern)
    fixed = pattern if magic is None else pattern[: magic.start()]
    return fixed.replace(os.sep, "/").rpartition("/")[0]


def _local_glob(place: _Place) -> list[fs.FileInfo]:
    paths = sorted(glob.glob(place.path, recursive=True), key=lambda path: path.split(os.sep))
    return [place.look(path) for path in paths]


def _remote_glob(place: _Place, root: str) -> list[fs.FileInfo]:
    matcher = _translate(place.path)
    infos = place.below(root, allow_not_found=True)
    found = [info for info in infos if info.is_file and matcher.fullmatch(info.path)]
    return sorted(found, key=lambda info: info.path.split("/"))


def _translate(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression, in which `*` stays in one directory and `**` does not."""
    # As for the shell, a wildcard that begins a name does not stand for a dot.
    known = {"**/": r"(?:(?!\.)[^/]+/)*", "**": "(?!.*/\\.).*", "*": "[^/]*", "?": "[^/]"}
    translated = ""
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern):
        if piece[:1] in ("*", "?", "[") and translated.endswith(("/", "*")):
            translated += r"(?!\.)"
        if piece.startswith("["):
            translated += "[" + ("^" + piece[2:] if piece.startswith("[!") else piece[1:])
        else:
            translated += known.get(piece) or re.escape(piece)
    return re.compile(translated)
