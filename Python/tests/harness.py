"""What mtkd-sweep is to a trainer, for tests: starts it with a request, hears its records,
kills it, starts it again."""
from __future__ import annotations

import json
import os
import pathlib
import random
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOOPS = ROOT / "loops"
sys.path.insert(0, str(ROOT))


class Attempt:
    """One process of a trainer. `records` are what it said."""

    def __init__(self, script, request, forks=False):
        self.records, self._pending = [], b""
        line = (json.dumps(request) + "\n").encode()
        environment = {**os.environ, "MTKD_SWEEP_TRAINER": "test", "PYTHONPATH": str(ROOT)}
        log = open(os.path.join(request["folder"], "log"), "ab")
        if forks:
            self.number, self._out = self._fork(script, line, log)
            self._process = None
        else:
            self._process = subprocess.Popen(
                [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=environment)
            self._process.stdin.write(line)
            self._process.stdin.flush()
            self.number, self._out = self._process.pid, self._process.stdout.fileno()
        log.close()

    def _fork(self, script, line, log):
        """A child of this process, which has loaded torch already: starting anew would
        take seconds each time."""
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        os.write(our_out, line)
        child = os.fork()
        if child:
            os.close(their_in)
            os.close(their_out)
            self._kept = our_out
            return child, our_in
        try:
            os.dup2(their_in, 0)
            os.dup2(their_out, 1)
            os.dup2(log.fileno(), 2)
            sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in ((0, "r"), (1, "w"), (2, "w")))
            os.environ["MTKD_SWEEP_TRAINER"] = "test"
            runpy.run_path(str(script), run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code or 0
            if isinstance(code, str):
                print(code, file=sys.stderr)
                code = 1
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 1
        finally:
            sys.stderr.flush()
            os._exit(code)

    def read(self, seconds):
        """Hears what comes within so many seconds; False once it has ended and all is read."""
        if not select.select([self._out], [], [], seconds)[0]:
            return True
        data = os.read(self._out, 1 << 16)
        *lines, self._pending = (self._pending + data).split(b"\n")
        self.records += [json.loads(line) for line in lines if line.startswith(b"{") and b'"record"' in line]
        return bool(data)

    def wait(self):
        """Its exit code, negative for a signal."""
        while self.read(60):
            pass
        if self._process:
            self._process.stdin.close()
            self._process.stdout.close()
            return self._process.wait()
        os.close(self._out)
        os.close(self._kept)
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])


class Runner:
    """Attempts at one run, in a folder of its own."""

    def __init__(self, script, epochs, seed=1, forks=False, **recipe):
        self.script, self.forks = script, forks
        self.home = tempfile.TemporaryDirectory()
        self.folder = self.home.name
        self.run = {"seed": seed, "recipe": {"epochs": epochs, **recipe}}
        self.heard: dict[int, dict] = {}
        self.finished = None
        self.contradictions = []
        self.kills = 0

    def start(self):
        reported = 0
        while reported in self.heard:
            reported += 1
        request = {
            "protocol": 1, "folder": self.folder, "reported": reported, "key": "k", "slot": 1, "dataset": "",
            "teachers": [], "run": self.run}
        return Attempt(self.script, request, self.forks)

    def take(self, attempt):
        for record in attempt.records:
            if record["record"] == "epoch":
                before = self.heard.setdefault(record["epoch"], record)
                if before != record:
                    self.contradictions.append((before, record))
            elif record["record"] == "finished":
                self.finished = record
            elif record["record"] == "failed":
                raise AssertionError(record)

    def whole(self):
        """Runs without being disturbed, and returns how long it took."""
        begin = time.monotonic()
        attempt = self.start()
        code = attempt.wait()
        self.take(attempt)
        assert code == 0, f"{code}: {self.log()}"
        return time.monotonic() - begin

    def killed(self, number, after, signals=(signal.SIGKILL,)):
        """Runs until it is finished, killed so many times at random instants.

        In turn up to `after` seconds from the start, and up to the time that an epoch takes from its first
        record on, which leaves something to go on from however slow the machine is.
        """
        chance = random.Random(number)
        while self.finished is None:
            attempt = self.start()
            alive = True
            if self.kills % 2:
                deadline = time.monotonic() + chance.uniform(0, after)
            else:
                while alive and not any(record["record"] == "epoch" for record in attempt.records):
                    alive = attempt.read(60)
                deadline = time.monotonic() + chance.uniform(0, after / self.run["recipe"]["epochs"])
            while alive and (left := deadline - time.monotonic()) > 0:
                alive = attempt.read(left)
            if alive and self.kills < number:
                self.kills += 1
                os.kill(attempt.number, chance.choice(signals))
            code = attempt.wait()
            self.take(attempt)
            assert code in (0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM), f"{code}: {self.log()}"

    def close(self):
        self.home.cleanup()

    def log(self):
        return pathlib.Path(self.folder, "log").read_text()[-3000:]

    def states(self):
        """Of each epoch in order: the digest of its state and its metrics."""
        return [(self.heard[epoch]["state"], self.heard[epoch]["metrics"]) for epoch in sorted(self.heard)]


def kill_until(test, script, kills, epochs, signals=(signal.SIGKILL,), forks=False, seed=1):
    """Kills runs of a script so many times in all and compares each with one that nobody disturbed."""
    calm = Runner(script, epochs, seed, forks)
    test.addCleanup(calm.close)
    seconds = calm.whole()
    test.assertEqual(len(calm.states()), epochs, calm.log())
    done, resumed = 0, 0
    while done < kills:
        runner = Runner(script, epochs, seed, forks)
        runner.killed(min(12, kills - done), seconds, signals)
        done += runner.kills
        test.assertEqual(runner.contradictions, [])
        test.assertEqual(runner.states(), calm.states(), runner.log())
        test.assertEqual(runner.finished, calm.finished)
        resumed += pathlib.Path(runner.folder, "log").read_text().count("going on from")
        runner.close()
    # Otherwise nothing was tested.
    test.assertGreater(resumed, 0)
    return calm
