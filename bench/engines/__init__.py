"""One program per way to move records from a topic to a topic, all doing the same job.

Each runs as `python -m bench.engines.NAME JOB BOOTSTRAP SOURCE TARGET COUNT` in a process of its
own, and prints one JSON line: records, cpu_seconds, wall_seconds, rss_mb (bench.engines.job).
"""
