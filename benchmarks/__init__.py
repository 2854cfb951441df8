"""Measures what the portal's acts cost, beside the floors below which nothing of their kind can go.

`python -m benchmarks` starts a PostgreSQL, a Redis and the portal of its own, as in production, and measures
over HTTP. docs/performance.md says what is measured how, and with which result.
"""
