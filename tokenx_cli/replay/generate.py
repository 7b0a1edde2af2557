"""Writes the seeded demo flow: `python -m tokenx_cli.replay.generate SEED COUNT > demo_flow.csv`. Same seed, same bytes, on every machine."""

import sys
from hashlib import sha256

from tokenx_cli.replay.loaders import CSV_COLUMNS


class Dice:
    """Integers from a counter and SHA-256: no library's random generator, so the file never changes under us."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def below(self, limit: int) -> int:
        """0 .. limit-1."""
        self._count += 1
        return int.from_bytes(sha256(f"{self._seed}:{self._count}".encode()).digest()[:8]) % limit


def rows(seed: int, count: int) -> list[tuple[str, ...]]:
    """A walk of the mid price with orders around it: about half rest, a quarter cross, the others cancel and replace."""
    dice, mid = Dice(seed), 10_000
    live: list[tuple[str, str, int, int]] = []
    made: list[tuple[str, ...]] = []
    for number in range(1, count + 1):
        mid += dice.below(3) - 1
        roll = dice.below(100)
        if roll < 25 and len(live) > 20:
            action = "cancel" if roll < 16 else "replace"
            ref, side, price, size = live.pop(dice.below(len(live)))
            if action == "cancel":
                made.append(("cancel", ref, side, "limit", "gtc", "", ""))
                continue
            price += dice.below(5) - 2
            made.append(("replace", ref, side, "limit", "gtc", str(price), str(size)))
            live.append((ref, side, price, size))
            continue
        side = ("buy", "sell")[dice.below(2)]
        away = 1 if side == "sell" else -1
        size = 1 + dice.below(9)
        if roll < 32:
            made.append(("new", f"m{number}", side, "market", "ioc", "", str(size)))
        elif roll < 45:
            tif = ("ioc", "fok")[dice.below(2)]
            made.append(("new", f"x{number}", side, "limit", tif, str(mid - away * (1 + dice.below(4))), str(size)))
        else:
            price = mid + away * (dice.below(14) - 1)
            made.append(("new", f"l{number}", side, "limit", "gtc", str(price), str(size)))
            live.append((f"l{number}", side, price, size))
    return made


def main() -> None:
    """Print the file."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write(f"# synthetic order flow, seed {seed}, {count} messages\n{','.join(CSV_COLUMNS)}\n")
    for row in rows(seed, count):
        sys.stdout.write(",".join(row) + "\n")


if __name__ == "__main__":
    main()
