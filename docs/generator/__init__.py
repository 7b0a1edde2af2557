"""Writes the pages of docs/library from the sources they describe. `python -m docs.generator`, in the root of the project.

Deterministic, standard library only. tests/repo/test_library_docs.py fails when a page is not what this writes.
"""
