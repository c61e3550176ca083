"""What a call costs from each language, over the same call in C, and what that does to a captured step. Prints a table for docs/benchmarks.md.

    python bench/calls/run.py LIBRARY_FOLDER WORK_FOLDER [--core 1] [--starts 8] [--rounds 10] [--seconds 0.05]

LIBRARY_FOLDER and WORK_FOLDER: as in tests/golden/run.py. All programs run at the same time on one core, one context thread each, and take turns: in each round
every one does its calls for about that many seconds, and a figure is the median over the rounds. They are started several times, since where a process's memory
comes to lie makes a few percent. Of the step also the ratio to C's is taken in each round, with the quarter of the rounds below and above it. Seconds are the process's own on the processor, all its threads together: a garbage collector counts, a neighbour does not. A second
process of C's shows what difference means nothing.
"""
import argparse
import ctypes
import os
import random
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "golden"))
from languages import Languages, Skipped  # noqa: E402

PROGRAMS = {"c": "calls.c", "c again": "calls.c", "rust": "calls", "luajit": "calls.lua", "java": "Calls.java", "csharp": "Calls.cs", "python": "calls.py",
            "ctypes": "calls_ctypes.py"}
CALLS = ("ndim", "add", "item", "step")


class Worker:
    def __init__(self, command, environment, core):
        self.process = subprocess.Popen(["taskset", "-c", str(core), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.process.pid, ctypes.byref(clock)):
            raise RuntimeError("no clock of another process's time")
        self.clock = clock.value

    def ask(self, what, n):
        """The seconds of one call, of n."""
        start = time.clock_gettime(self.clock)
        self.process.stdin.write(f"{what} {n}\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise RuntimeError(f"{self.process.args} has ended with {self.process.wait()}")
        return (time.clock_gettime(self.clock) - start) / n

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(commands, times, options):
    """Adds to times, {(language, call): [seconds, one per round]}; every run time has compiled what it compiles before the first round."""
    workers, counts = {language: Worker(*command, options.core) for language, command in commands.items()}, {}
    for language, worker in workers.items():
        for call in CALLS:
            for _ in range(3):
                each = worker.ask(call, 20 if call == "step" else 50000)
            counts[language, call] = max(1, round(options.seconds / each))
    for _ in range(options.rounds):
        for call in CALLS:
            for language in random.sample(list(workers), len(workers)):
                times[language, call].append(workers[language].ask(call, counts[language, call]))
    for worker in workers.values():
        worker.close()


def table(languages, times):
    print("| | `ndim`, ns | over C | `add` and release, ns | over C | `item`, ns | over C | step, ms | of C's |\n|---|---|---|---|---|---|---|---|---|")
    for language in languages:
        row = [language]
        for call in CALLS[:-1]:
            mine, c = (statistics.median(times[who, call]) * 1e9 for who in (language, "c"))
            row += [f"{mine:.0f}", "" if language == "c" else f"{mine - c:+.0f}"]
        ratios = [a / b for a, b in zip(times[language, "step"], times["c", "step"])]
        low, middle, high = statistics.quantiles(ratios, n=4)
        row += [f"{statistics.median(times[language, 'step']) * 1e3:.2f}", "" if language == "c" else f"{middle:.3f} ({low:.3f} to {high:.3f})"]
        print("| " + " | ".join(row) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries")
    parser.add_argument("work")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.05)
    options = parser.parse_args()
    languages, commands = Languages(options.libraries, options.work, release=True), {}
    for language, program in PROGRAMS.items():
        try:
            commands[language] = getattr(languages, language.split()[0])(program if language == "rust" else os.path.join(HERE, program))
        except Skipped as reason:
            print(f"skipped: {language}: {reason}")
    times = {(language, call): [] for language in commands for call in CALLS}
    for _ in range(options.starts):
        measure(commands, times, options)
    table(commands, times)


if __name__ == "__main__":
    main()
