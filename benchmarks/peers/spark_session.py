"""What the peers on Spark share: a session in this process, and writing the answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from job import Job
from protocol import require

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DRIVER_MEMORY = os.environ.get("SPARK_PEER_MEMORY", "4g")
PARTITIONS_PER_CORE = 4


def start_session(job: Job) -> SparkSession:
    """Start Spark with as many local cores as the job has threads."""
    require("pyspark")
    from pyspark.sql import SparkSession

    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(f"local[{job.threads}]")
        .config("spark.driver.memory", DRIVER_MEMORY)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", str(PARTITIONS_PER_CORE * job.threads))
        .config("spark.default.parallelism", str(PARTITIONS_PER_CORE * job.threads))
        .config("spark.sql.files.maxPartitionBytes", str(32 << 20))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def write_answer(job: Job, clusters: DataFrame) -> None:
    """Write doc_id and cluster_id from the workers; OUT becomes a folder."""
    clusters.write.mode("overwrite").parquet(str(job.target / "clusters.parquet"))
