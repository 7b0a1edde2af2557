"""Essential work: its crash ends the process, its stop is quiet."""

import asyncio
import subprocess
import sys

from tokenx_common.essential import EXIT_CRASHED, essential, stop

CRASH = """
import asyncio
from tokenx_common.essential import essential

async def crash() -> None:
    raise LookupError("lost")

async def main() -> None:
    async with essential({"books": crash}):
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_crash_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == EXIT_CRASHED
    assert "service.crashed" in done.stdout + done.stderr
    assert "lost" in done.stdout + done.stderr


async def test_work_is_cancelled_and_awaited_at_the_end() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    async with essential({"a": work, "b": work}):
        await asyncio.sleep(0)
    assert seen == ["ended", "ended"]


async def test_a_swallowed_cancellation_is_asked_for_again() -> None:
    asked = 0

    async def hard_of_hearing() -> None:
        nonlocal asked
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asked += 1
                if asked == 2:
                    raise

    task = asyncio.create_task(hard_of_hearing())
    await asyncio.sleep(0)
    await stop([task])
    assert task.cancelled()
