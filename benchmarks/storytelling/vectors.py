"""Embeddings, computed once: kept in the work folder under a hash of model and texts, with what they took."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from storytelling.embed import MODEL
from storytelling.processes import run_job, taken
from storytelling.sets import whole_texts

PACKAGES = (MODEL, "torch", "sentence-transformers", "transformers")


def embedded(source: Path, workdir: Path, threads: int) -> tuple[Path, dict[str, Any]]:
    """Return the file of the embeddings and what their (first) computation took."""
    target = workdir / f"minilm-{_digest(whole_texts(source))}.npy"
    record = target.with_suffix(".json")
    if not record.exists():
        part = target.with_suffix(".part.npy")
        took = taken(run_job("embed", source, part, "--threads", threads, threads=threads))
        part.replace(target)
        versions = {name: metadata.version(name) for name in PACKAGES}
        # the record comes last: where it is, the embeddings are whole
        record.write_text(json.dumps({**took, "threads": threads, "versions": versions}), encoding="utf-8")
    return target, json.loads(record.read_text(encoding="utf-8"))


def _digest(texts: list[str]) -> str:
    """Return a name for the embeddings of these texts in this order."""
    digest = hashlib.sha256(MODEL.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:20]
