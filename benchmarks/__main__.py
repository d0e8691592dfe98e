"""`python -m benchmarks [NAME…]`: run benchmarks and tell each figure, its mark, and the noise it stands in."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from activities.aws.evidence.s3_content import MIB
from benchmarks import (
    clocks,
    command,
    encrypted,
    evidence,
    latency,
    length,
    proven,
    rehearsed,
    simulated,
    storm,
    throughput,
)
from benchmarks.figures import HEADING, Figure, compared
from benchmarks.stage import Size, Stage, stage
from worker.command import leave

Benchmark = Callable[[Stage, Size], Awaitable[list[Figure]]]

BENCHMARKS: dict[str, tuple[Benchmark, str]] = {
    "throughput": (throughput.run, "outages a second from start to closed; worker CPU an incident"),
    "latency": (latency.run, "approval to the first AWS call of the change, idle and at half load"),
    "encrypted": (encrypted.run, "throughput and latency with the codec against the same without"),
    "proven": (proven.run, "throughput and latency with everybody's signatures against the sandbox"),
    "clocks": (clocks.run, "lateness of 100 and 1,000 SLA clocks due within one second"),
    "length": (length.run, "cost of an incident of 50, 500 and 5,000 notes"),
    "storm": (storm.run, "first page of 20 P0 declared amid 300 P3 within ten seconds"),
    "simulated": (simulated.run, "a P0's hour by `incident simulate` against the same on Temporal"),
    "rehearsed": (rehearsed.run, "stored incidents run again by `incident rehearse` against folding them"),
    "command": (command.run, "`incident --help` and `incident start`"),
}
EVIDENCE = "evidence"
_EVIDENCE_HELP = "copying evidence with SHA-256 against a plain copy (alone it has options: benchmarks.evidence)"
_MEMORY_MIB = 64


def copying(size: Size) -> list[Figure]:
    """The evidence copy's figures; it needs no Temporal. Its memory is compared with what it may take."""
    shapes = [(20, 10 * evidence.KIB)] if size.quick else [(1000, 10 * evidence.KIB), (1, 128 * MIB)]
    figures = []
    for count, length_bytes in shapes:
        what = f"{count} x {length_bytes // evidence.KIB} KiB"
        done = evidence.run([(count, length_bytes)], size.pairs)
        rate = Figure(
            benchmark=EVIDENCE,
            what=f"{what}, throughput",
            unit="1/s",
            ours=count / done["our_seconds"],
            base=count / done["plain_seconds"],
            ratio=done["ratio"],
            noise=done["noise"],
            mark=0.9,
            at_most=False,
            pairs=size.pairs,
        )
        memory = [(max(done["our_memory_mib"], 0), float(_MEMORY_MIB))]
        figures += [rate, compared(EVIDENCE, f"{what}, memory / {_MEMORY_MIB} MiB", "MiB", memory, 1, at_most=True)]
    return figures


async def measured(names: list[str], size: Size, tell: Callable[[str], None]) -> AsyncIterator[list[Figure]]:
    """Run benchmarks one after the other in one process set; evidence, which has its own, comes last."""
    if staged := [name for name in BENCHMARKS if name in names]:
        async with stage() as current:
            for name in staged:
                tell(name)
                yield await BENCHMARKS[name][0](current, size)
    if EVIDENCE in names:
        tell(EVIDENCE)
        yield await asyncio.to_thread(copying, size)


async def _all(names: list[str], size: Size, *, as_json: bool) -> None:
    """Print each benchmark's figures once it is over, so that none is lost with a later one; JSON at the end."""
    figures: list[Figure] = []
    if not as_json:
        print(HEADING, flush=True)
    async for some in measured(names, size, _tell):
        figures += some
        for figure in [] if as_json else some:
            print(figure.row(), flush=True)
    if as_json:
        document = {"pairs": size.pairs, "quick": size.quick, "figures": [figure.document() for figure in figures]}
        print(json.dumps(document, indent=2))
    elif size.quick:
        print("Run with --quick: this shows that the benchmarks run, and says nothing about speed.")


def main() -> None:
    known = {**{name: text for name, (_, text) in BENCHMARKS.items()}, EVIDENCE: _EVIDENCE_HELP}
    listed = "\n".join(f"  {name:<11} {text}" for name, text in known.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure in ratios of two things run in turns. Without NAME: all of them.",
        epilog=f"names:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks to run")
    parser.add_argument("--pairs", type=int, help="turns of each comparison (5; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="smallest sizes: shows that it runs, measures nothing")
    parser.add_argument("--list", action="store_true", dest="only_list", help="list the names and leave")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON document on stdout")
    given = parser.parse_args()
    if given.only_list:
        print(listed)
        return
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; known: {', '.join(known)}")
    pairs = given.pairs if given.pairs is not None else (1 if given.quick else 5)
    if pairs < 1:
        parser.error("--pairs must be 1 at least")
    size = Size(pairs=pairs, quick=given.quick)
    asyncio.run(_all(given.names or list(known), size, as_json=given.as_json))


def _tell(name: str) -> None:
    print(f"running {name} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
    leave(0)
