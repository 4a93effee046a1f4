"""`samestory report`: a run as one page to look at, which asks nothing of the network."""

from __future__ import annotations

from samestory.report.write import check_report, write_report

__all__ = ["check_report", "write_report"]
