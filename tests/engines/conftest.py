"""One small session of Spark for all tests here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from samestory.engines.classdata import reading_options
from samestory.engines.session import check_java
from samestory.errors import SamestoryError

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.python.daemon.module": "samestory.engines.daemon",
    "spark.sql.session.timeZone": "Asia/Kolkata",
    "spark.log.level": "ERROR",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of two threads, in another time zone than ours."""
    pytest.importorskip("pyspark")
    try:
        java = check_java()
    except SamestoryError as error:
        if os.environ.get("SAMESTORY_NEEDS_JAVA"):
            raise
        pytest.skip(error.message)
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").appName("tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    options = f"{SETTINGS['spark.driver.extraJavaOptions']} {reading_options(java)}"
    builder = builder.config("spark.driver.extraJavaOptions", options)
    session = builder.getOrCreate()
    yield session
    session.stop()
