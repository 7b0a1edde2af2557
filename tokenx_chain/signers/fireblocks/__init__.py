"""The Fireblocks backend: MPC keys, approvals by people, answers in minutes. Plain HTTP through httpx; their SDK is used in tests only."""
