"""Real worker processes, one of which is killed in mid-job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import samestory

SCRIPT = '''
import json, os, signal, sys
from pathlib import Path
import pyspark
os.environ["SPARK_HOME"] = pyspark.__path__[0]
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession
import samestory, samestory.spark
from samestory.engines.job import Job
from made_corpus import articles, assert_same, table

killed = []
stage = Job.stage


def executors():
    """Process numbers of the executors that this process has, however far down."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\\0")
            parents[int(path.name)] = (int((path / "stat").read_text().rpartition(")")[2].split()[1]), words)
        except OSError:
            continue
    own = {os.getpid()}
    while more := {pid for pid, (parent, _) in parents.items() if parent in own} - own:
        own |= more
    return [pid for pid in own if any(b"CoarseGrainedExecutorBackend" in word for word in parents[pid][1])]


def stage_and_kill(self, name, number):
    if name == "verify" and not killed:
        killed.extend(executors()[:1])
        os.kill(killed[0], signal.SIGKILL)
    return stage(self, name, number)


Job.stage = stage_and_kill
session = (
    SparkSession.builder.master("local-cluster[2,1,1024]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
    .getOrCreate()
)
data = table(articles(8))
clusters, pairs = samestory.spark.cluster(session.createDataFrame(data).repartitionByRange(4, "doc_id"),
                                          partitions=4, order_by="doc_id")
assert_same(samestory.cluster(data), clusters.toArrow(), pairs.toArrow())
assert killed
session.stop()
print("equal, one executor killed")
'''


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for as on Linux")
def test_a_worker_that_is_lost_changes_nothing(tmp_path: Path) -> None:
    program = tmp_path / "job.py"
    program.write_text(SCRIPT, encoding="utf-8")
    tests = Path(__file__).parent
    paths = [str(tests), str(tests.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    source = str(Path(samestory.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, *paths])}
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "equal, one executor killed" in done.stdout
