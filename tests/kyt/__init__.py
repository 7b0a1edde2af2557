"""Tests of the kyt service."""
