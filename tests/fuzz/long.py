"""The long run: ``python tests/fuzz/long.py masks 1000000 [seed]``."""

import sys
from random import Random
from time import process_time

import checks
import texts

KINDS = {"masks": (texts.mask, checks.mask), "samplers": (texts.sampler, checks.sampler)}
MOST = 10  # failures, after which it stops


def main(kind: str, count: str, seed: str = "0") -> None:
    make, check = KINDS[kind]
    random = Random(int(seed))
    start = process_time()
    made: list[str] = []
    results = dict.fromkeys(("read", "refused", "failed"), 0)
    while len(made) < int(count) and results["failed"] < MOST:
        made.append(text := make(random))
        try:
            results["refused" if check(text) is None else "read"] += 1
        except Exception as error:
            results["failed"] += 1
            sys.stderr.write(f"{text!r:.500}\n  {type(error).__name__}: {error!s:.500}\n")
    seconds = process_time() - start
    told = ", ".join(f"{number} {result}" for result, number in results.items())
    sys.stdout.write(
        f"{len(made)} {kind}, {len(set(made))} of them different: {told}; "
        f"{seconds:.0f} s of CPU, {len(made) / seconds:.0f} a second\n"
    )
    sys.exit(results["failed"] > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
