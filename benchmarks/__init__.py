"""Benchmarks: rdo beside what a user would use instead, side by side on this machine. `python -m benchmarks --help`.

Run from the project's directory: the servers are those of the tests.
"""
