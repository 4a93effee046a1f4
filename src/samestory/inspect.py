"""Shingles and signatures on their own: for checking, teaching and use with other tools."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import xxhash

from samestory.config import Config
from samestory.errors import InputError, SchemaError
from samestory.normalise import FoldedTexts, normalise
from samestory.signature import sign

_BATCH_ROWS: Final = 4096


def base_hash(data: bytes) -> int:
    """Return the base hash of a shingle: the low 32 bits of ``xxhash.xxh3_64_intdigest``.

    Pass it to ``datasketch.MinHash(hashfunc=samestory.base_hash)`` to get the
    signatures that `signatures` computes.
    """
    return xxhash.xxh3_64_intdigest(data) & 0xFFFFFFFF


def shingles(text: str, config: Config | None = None) -> list[str]:
    """Return the shingles of a text, in order, repeated ones too.

    Parameters
    ----------
    text : str
        As given: nothing is taken out as page furniture.
    config : Config, optional
        Its `shingle` decides.

    Returns
    -------
    list of str
        Runs of N words joined by one space, or of N characters; one, of all
        there is, where the text is shorter; none where it has no word.
    """
    config = config or Config()
    folded = normalise(_as_strings([text]), unit=config.shingle_unit).text(0)
    size = config.shingle_size
    if not folded:
        return []
    if config.shingle_unit == "char":
        return [folded[i : i + size] for i in range(max(1, len(folded) - size + 1))]
    words = folded.split(" ")
    return [" ".join(words[i : i + size]) for i in range(max(1, len(words) - size + 1))]


def signatures(texts: Any, config: Config | None = None) -> pa.FixedSizeListArray:
    """Return the MinHash signature of each text.

    Parameters
    ----------
    texts : sequence of str, or Arrow array of strings
    config : Config, optional
        Its `shingle`, `num_perm`, `seed` and `threads` decide.

    Returns
    -------
    pyarrow.FixedSizeListArray
        Of uint32, `num_perm` values a text: bit for bit what
        ``datasketch.MinHash(num_perm, seed, scheme="affine32", hashfunc=samestory.base_hash)``
        holds after an update with each shingle's UTF-8 bytes.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    config = config or Config()
    array = _as_strings(texts)

    def work(first: int) -> Any:
        folded: FoldedTexts = normalise(array.slice(first, _BATCH_ROWS), unit=config.shingle_unit)
        return sign(folded, config)

    starts = range(0, len(array), _BATCH_ROWS)
    if config.n_threads == 1:
        parts = [work(first) for first in starts]
    else:
        with ThreadPoolExecutor(config.n_threads) as executor:
            parts = list(executor.map(work, starts))
    values = np.concatenate(parts).reshape(-1) if parts else np.zeros(0, dtype=np.uint32)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), config.num_perm)


def _as_strings(texts: Any) -> Any:
    if isinstance(texts, str):
        raise SchemaError("texts is one string", hint="pass a list of strings, or an Arrow array of them")
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    array = texts if isinstance(texts, pa.Array) else _encoded(texts)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    if not (
        pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or _is_string_view(array.type)
    ):
        raise SchemaError(f"texts are of type {array.type}, not strings")
    return array.cast(pa.large_string())


def _encoded(texts: Any) -> Any:
    try:
        return pa.array(texts)
    except UnicodeEncodeError as error:
        raise InputError(
            f"a text holds half a surrogate pair: {error.object[error.start : error.end]!a}",
            hint="decode it with errors='replace'",
        ) from error
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SchemaError(f"texts are not all strings: {error}") from error


def _is_string_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind))
