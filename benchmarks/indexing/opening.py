"""Open an index in a process that has loaded nothing yet, ask of one article, and print the times as JSON.

    python -m indexing.opening INDEX_DIR

The files have been written or read before, so they come from memory rather than from the disk. `opened` is
when the number of articles is known, `asked` when the first question is answered, both since the process
began to import.
"""

from __future__ import annotations

import json
import sys
import time

TEXT = "the ferry that was to leave at noon stayed in port as the crew had walked out over pay a day before"


def main() -> None:
    """Run the command line."""
    begin = time.perf_counter()
    import pyarrow as pa

    import samestory

    opener = samestory.Index.open
    imported = time.perf_counter()
    with opener(sys.argv[1], readonly=True) as index:
        n_articles = len(index)
        opened = time.perf_counter()
        index.query(pa.table({"doc_id": ["asked"], "text": [TEXT]}))
        asked = time.perf_counter()
    times = {
        "import": imported - begin,
        "open": opened - imported,
        "opened": opened - begin,
        "asked": asked - begin,
    }
    print(json.dumps({"articles": n_articles, **{f"{k}_seconds": round(v, 4) for k, v in times.items()}}))


if __name__ == "__main__":
    main()
