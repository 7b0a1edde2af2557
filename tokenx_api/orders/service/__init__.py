"""Use cases of orders, one file per verb."""
