"""Shared fixtures: the real servers, started through the product's own runtime, on free ports with fresh folders."""
