"""The contracts alone on a real node: every rule, every revert, and random histories against a model in Python."""
