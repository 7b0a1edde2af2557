"""Detectors of market abuse: pure functions over one offering's executions, in sequence.

Executions carry no wall time, so windows count fills and execution numbers, not minutes: the last WINDOW_FILLS fills of the offering. In
an illiquid market that is longer than the hour the rule's source names, in a busy one shorter; a replay always gives the same alerts."""
