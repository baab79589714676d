"""Assignments from release to grades, around nbgrader.

nbgrader restores test cells, counts points and keeps the gradebook. Here is what surrounds it: sources
that are validated, submissions that are found and mended, kernels that are locked in, tables and pages.
"""
