"""Runs the Autobahn cases against an echo: `cases.py ADDRESS [CASE TO LEAVE OUT]…`. Its last line says what came of them."""

import asyncio
import sys
from collections import Counter

import kosoku

# Autobahn's own scale: what is not strict is allowed, and what is informational has no right answer.
PASSES = {"OK", "NON-STRICT", "INFORMATIONAL"}


async def main(address: str, left_out: list[str]) -> None:
    try:
        results = await kosoku.run_fuzzingclient(f"ws://{address}/", None, left_out)
    except kosoku.FailureError as failure:
        sys.exit("\n".join(describe(result) for result in failure.results if not is_well(result)))
    behaviours = Counter(result.behavior.value for result in results)
    if not results or not all(is_well(result) for result in results):
        sys.exit("not all cases passed:\n" + "\n".join(describe(result) for result in results if not is_well(result)))
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(behaviours.items()))
    print(f"{len(results)} cases of sections 1 to 10: {told}; none failed, and every line was closed as it must be")


def is_well(result: object) -> bool:
    return {result.behavior.value, result.behavior_close.value} <= PASSES


def describe(result: object) -> str:
    verdict = f"{result.behavior.value}, closing {result.behavior_close.value}"
    return f"{result.case_id}: {verdict}: {result.result} {result.result_close} (expected: {result.expectation})"


asyncio.run(main(sys.argv[1], sys.argv[2:]))
