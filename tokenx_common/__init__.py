"""What at least two services need, and nothing else: ids, time, money, errors, settings, logs, HTTP, service tokens, events and streams."""
