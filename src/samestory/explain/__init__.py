"""Why two articles are, or are not, the same: of a run that is done, or of an index."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from samestory.errors import ConfigError, InputError
from samestory.explain.explanation import Explanation
from samestory.progress import Observer, ignore_progress
from samestory.runfiles import CLUSTERS_FILE, RUN_FILE

__all__ = ["Explanation", "explain"]


def explain(
    run_or_index: str | PathLike[str],
    doc_id_a: str,
    doc_id_b: str,
    *,
    inputs: Sequence[str] | None = None,
    terms: bool | None = None,
    observer: Observer = ignore_progress,
) -> Explanation:
    """Explain what two articles have to do with one another.

    Parameters
    ----------
    run_or_index : path
        The folder of a run or of an index.
    doc_id_a, doc_id_b : str
    inputs : sequence of str, optional
        Where the articles of the run are now, if they are not where they were.
    terms : bool, optional
        Whether to weigh anew the terms that the two share, where stories were looked for; that takes as
        long as the run did. By default among up to 20,000 articles.
    observer : Observer, optional

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        The folder is neither, an id is not in it, or the inputs cannot be read again.
    ConfigError
        Inputs are given for an index, which has its texts.
    """
    folder = Path(run_or_index)
    if (folder / RUN_FILE).is_file() or (folder / CLUSTERS_FILE).is_file():
        from samestory.explain.of_run import explain_in_run

        return explain_in_run(run_or_index, doc_id_a, doc_id_b, inputs, terms, observer)
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "no such folder"
        hint = "name a folder that `samestory cluster` or `samestory ingest` made"
        raise InputError(f"{fspath(run_or_index)}: {problem}", hint=hint)
    if inputs is not None:
        raise ConfigError("an index has its own texts, and takes no inputs", hint="leave --input out")
    from samestory.explain.of_index import explain_in_index

    return explain_in_index(folder, doc_id_a, doc_id_b, terms, observer)
