"""Benchmarks: what the package promises on speed and memory, measured, and stored with its conditions."""
