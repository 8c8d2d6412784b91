"""The long run: ``python tests/fuzz/long.py masks 1000000 [seed]``."""

import argparse
import sys
import time
from random import Random

import checks
import texts

KINDS = {"masks": (texts.mask, checks.mask), "samplers": (texts.sampler, checks.sampler)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=KINDS)
    options.add_argument("count", type=int)
    options.add_argument("seed", type=int, nargs="?", default=0)
    options.add_argument("--most", type=int, default=10, help="stop after so many failures")
    chosen = options.parse_args()
    make, check = KINDS[chosen.kind]
    random = Random(chosen.seed)
    n_made = n_read = n_failed = 0
    slowest = (0.0, "")
    distinct: set[int] = set()
    start = time.process_time()
    for _ in range(chosen.count):
        text = make(random)
        n_made += 1
        distinct.add(hash(text))
        began = time.process_time()
        try:
            n_read += check(text) is not None
        except Exception as error:
            n_failed += 1
            sys.stderr.write(f"{text!r:.500}\n  {type(error).__name__}: {error!s:.500}\n")
            if n_failed >= chosen.most:
                break
        slowest = max(slowest, (time.process_time() - began, text))
    seconds = time.process_time() - start
    sys.stdout.write(
        f"{n_made} {chosen.kind}, {len(distinct)} of them different: {n_read} read, "
        f"{n_made - n_read - n_failed} refused, {n_failed} failed; {seconds:.0f} s of CPU, "
        f"{n_made / seconds:.0f} a second; the slowest took {slowest[0] * 1000:.0f} ms: "
        f"{slowest[1]!r:.60}\n"
    )
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()
