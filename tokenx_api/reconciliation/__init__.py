"""Ledger, register and chain laid side by side. Tells where they differ; corrects nothing."""
