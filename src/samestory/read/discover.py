"""From what the user names (files, directories, globs, URIs) to the files to read, in a fixed order."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from pyarrow import fs

from samestory.errors import InputError
from samestory.read.files import EXTENSIONS, Part, format_of, not_yet, reading

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # Two letters at least: C: is a drive.
_MAGIC: Final = re.compile(r"[*?\[]")
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
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
        Something is missing, empty, or of an unknown format.
    """
    found: list[tuple[Part, str]] = []
    for given in inputs:
        found.extend(_expand(given, forced))
    names = [part.name for part, _ in found]
    if len(set(names)) == len(names):
        return [part for part, _ in found]
    # Two directories hold files of one name: only with the directory is it clear which is meant.
    return [part if part.format == "txt" else replace(part, name=full) for part, full in found]


def _expand(given: str, forced: str | None) -> Iterator[tuple[Part, str]]:
    """Files that one input stands for, each with the name that includes the input's own."""
    filesystem, path = _resolve(given)
    kind = _file_type(filesystem, path, given)
    if kind == fs.FileType.File:
        yield _single(given, given, filesystem, path, forced), given
    elif kind == fs.FileType.Directory:
        yield from _directory(given, filesystem, path, forced)
    elif _MAGIC.search(given):
        yield from _matches(given, filesystem, path, forced)
    else:
        raise InputError(f"{given}: no such file or directory", hint="check the path, or quote a glob")


def _resolve(given: str) -> tuple[fs.FileSystem, str]:
    if not _URI.match(given):
        return fs.LocalFileSystem(), given
    with reading(given, "an address"):
        magic = _MAGIC.search(given)
        if magic is None:
            filesystem, path = fs.FileSystem.from_uri(given)
            return filesystem, path
        # A glob's characters are not legal in a URI: resolve the part before them.
        root, _, rest = given[: magic.start()].rpartition("/")
        filesystem, path = fs.FileSystem.from_uri(root)
        return filesystem, posixpath.join(path, rest + given[magic.start() :])


def _file_type(filesystem: fs.FileSystem, path: str, given: str) -> fs.FileType:
    with reading(given, "an input"):
        return filesystem.get_file_info(path).type


def _single(given: str, name: str, filesystem: fs.FileSystem, path: str, forced: str | None) -> Part:
    """The part of a file that the user named."""
    kind, compression = format_of(path)
    if forced is None and not_yet(path):
        raise InputError(
            f"{given}: this version cannot read HTML or WARC yet",
            hint="extract the text first, for example to JSON Lines",
        )
    kind = forced or kind
    if kind is None:
        raise InputError(
            f"{given}: the name does not tell the format",
            hint=f"use --format, or one of the endings {_KNOWN}",
        )
    size = filesystem.get_file_info(path).size or 0
    return Part(name, path, filesystem, kind, compression, size)


def _directory(
    given: str, filesystem: fs.FileSystem, root: str, forced: str | None
) -> Iterator[tuple[Part, str]]:
    """Readable files under a directory that the user named."""
    parts = _files_below(given, filesystem, root, forced)
    if not parts:
        raise InputError(
            f"{given}: empty, no file in it that can be read",
            hint=f"readable are {_KNOWN}; see also --format",
        )
    for part in parts:
        yield part, posixpath.join(given.replace(os.sep, "/"), part.name)


def _files_below(given: str, filesystem: fs.FileSystem, root: str, forced: str | None) -> list[Part]:
    """Readable files under a directory, sorted; partition columns told by its subdirectories."""
    with reading(given, "a directory"):
        infos = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    parts = []
    for info in infos:
        relative = posixpath.relpath(info.path.replace(os.sep, "/"), root.replace(os.sep, "/"))
        kind, compression = format_of(relative)
        hidden = any(step.startswith((".", "_")) for step in relative.split("/"))
        if info.is_file and not hidden and (forced or kind):
            kind = str(forced or kind)
            partitions = _partitions(relative) if kind == "parquet" else ()
            size = info.size or 0
            parts.append(Part(relative, info.path, filesystem, kind, compression, size, partitions))
    return sorted(parts, key=lambda part: part.name.split("/"))


def _partitions(relative: str) -> tuple[tuple[str, str | None], ...]:
    pairs = (step.partition("=") for step in relative.split("/")[:-1] if "=" in step)
    return tuple((unquote(key), None if value == _HIVE_NULL else unquote(value)) for key, _, value in pairs)


def _matches(
    given: str, filesystem: fs.FileSystem, pattern: str, forced: str | None
) -> Iterator[tuple[Part, str]]:
    """Files that a glob matches, sorted; files of unknown format among them are passed over."""
    root = _fixed_root(pattern)
    remote = bool(_URI.match(given))
    paths = _remote_glob(filesystem, root, pattern) if remote else _local_glob(pattern)
    n_found = 0
    for path in paths:
        if _file_type(filesystem, path, given) != fs.FileType.Directory:
            usable = forced or format_of(path)[0]
            parts = [_single(given, path, filesystem, path, forced)] if usable else []
        elif "**" in pattern:
            parts = []  # The files below such a directory are matches themselves.
        else:
            below = _files_below(given, filesystem, path, forced)
            parts = [replace(part, name=posixpath.join(path, part.name)) for part in below]
        for part in parts:
            n_found += 1
            # A text file's name is its article's id, which is relative to where the glob starts.
            inner = posixpath.relpath(part.name.replace(os.sep, "/"), root or ".")
            yield (replace(part, name=inner) if part.format == "txt" else part), part.name
    if not n_found:
        raise InputError(
            f"{given}: empty, the glob matches no file that can be read",
            hint=f"check the pattern; readable are {_KNOWN}",
        )


def _fixed_root(pattern: str) -> str:
    """The directory that a glob starts from: what stands before its first wildcard."""
    magic = _MAGIC.search(pattern)
    fixed = pattern if magic is None else pattern[: magic.start()]
    return fixed.replace(os.sep, "/").rpartition("/")[0]


def _local_glob(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True), key=lambda path: path.split(os.sep))


def _remote_glob(filesystem: fs.FileSystem, root: str, pattern: str) -> list[str]:
    with reading(root, "a directory"):
        infos = filesystem.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    matcher = _translate(pattern)
    paths = [info.path for info in infos if info.is_file and matcher.fullmatch(info.path)]
    return sorted(paths, key=lambda path: path.split("/"))


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
