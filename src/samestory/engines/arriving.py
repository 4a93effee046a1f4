"""Rows on their way from where articles are read: bundles of articles, and what goes by other keys."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from samestory.engines.blobs import SENT, bytes_column
from samestory.engines.bundles import KIND, ROUTED, rows_of_bundles
from samestory.engines.rows import READ, rows_from

ARRIVING: Final = rows_of_bundles(
    READ.names,
    ROUTED,
    KIND,
    pa.field("payload", SENT),
    pa.field("unit", pa.int32()),
    pa.field("facts", pa.string()),
)
"""A row is a bundle of articles, which has an `n`, or of a `kind`."""
SITED: Final = (KIND.name, "n", "payload", *READ.names)
"""Columns of articles and of what goes to their sites."""
FACTS: Final = 0
IDS: Final = 1
OUTLETS: Final = 2
PRINTS: Final = 3
SINGLES: Final = 4
"""Kinds: the facts of a unit, as JSON; of the others the payload is arrays."""


def payload_rows(kind: int, slots: list[int], payloads: list[bytes]) -> pa.RecordBatch:
    """Return rows of a kind."""
    return rows_from(
        ARRIVING,
        len(slots),
        slot=np.array(slots, np.int32),
        kind=np.full(len(slots), kind),
        payload=bytes_column(payloads, SENT),
    )
