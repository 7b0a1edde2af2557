"""EVM networks: what differs between them as data, and one adapter that speaks JSON-RPC to any of them."""
