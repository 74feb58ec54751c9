"""Latency and throughput under load: scenarios in the style of MLPerf, with the answers checked inside the timed run."""
