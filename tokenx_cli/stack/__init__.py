"""The local stack: what runs, in which order, who keeps it running, and what is known about it from outside."""
