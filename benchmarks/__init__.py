"""Benchmarks: compares rdo with what a user would use instead, on this machine. See `python -m benchmarks --help`.

Run from the project's directory: the servers are those of the tests.
"""
