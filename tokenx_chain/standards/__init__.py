"""Token standards: what the platform does with a security token, whatever contracts stand behind it."""
