"""What other tools do where mtkd-sweep promises something: python Benchmarks/peers/peers.py PROGRAM

Needs `pip install snakemake optuna hydra-core pandas`. Each fact is counted, not quoted: a "training"
of five epochs appends a line to a file for each epoch, so that the lines tell what was done twice.
Prints a table; takes minutes.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent

# Five epochs of 0.4 s; what it has learnt goes to OUTPUT at the end. A seed named in FAIL fails.
TRAIN = """
import os, sys, time
seed, output, log = sys.argv[1], sys.argv[2], sys.argv[3]
if seed == os.environ.get("FAIL"):
    sys.exit("no luck")
for epoch in range(5):
    time.sleep(0.4)
    open(log, "a").write(f"{seed} {epoch}\\n")
open(output, "w").write(f"{70 + int(seed)}\\n")
"""

SNAKEFILE = """
rule all:
    input: expand("out/{{seed}}.txt", seed=range(1, {seeds} + 1))
rule train:
    output: "out/{{seed}}.txt"
    shell: "{command}"
"""

OPTUNA = """
import os, subprocess, sys
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
seeds = list(range(1, int(sys.argv[1]) + 1))
def objective(trial):
    seed = trial.suggest_categorical("seed", seeds)
    out = f"out-{seed}.txt"
    if sys.argv[2] == "train":
        subprocess.run([sys.executable, "train.py", str(seed), out, "log"], check=True)
        return float(open(out).read())
    return float(seed)
study = optuna.create_study(
    study_name="s", storage="sqlite:///study.db", load_if_exists=True,
    sampler=optuna.samplers.GridSampler({"seed": seeds}, seed=0))
study.optimize(objective, n_trials=len(seeds), catch=(Exception,))
if sys.argv[2] == "train":
    table = study.trials_dataframe()
    print("mean", table.value.mean(), "of", len(table))
print("states", sorted(t.state.name for t in study.trials))
"""

HYDRA = """
import subprocess, sys
import hydra
@hydra.main(version_base=None, config_path=None)
def main(config):
    if config.get("do", "train") == "train":
        subprocess.run(
            [sys.executable, "{folder}/train.py", str(config.seed), "out.txt", "{folder}/log"], check=True)
main()
"""


def call(command, folder, **variables):
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def kill_after(seconds, command, folder):
    """Starts a command with its children in a group of their own and kills them all."""
    process = subprocess.Popen(
        command, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while time.time() < deadline and epochs(folder) < seconds:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def epochs(folder):
    log = Path(folder) / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


class Snakemake:
    name = "Snakemake"

    def prepare(self, folder, seeds, trivial=False):
        train = f"{sys.executable} train.py {{wildcards.seed}} {{output}} log"
        command = "echo 1 > {output}" if trivial else train
        (Path(folder) / "Snakefile").write_text(SNAKEFILE.format(seeds=seeds, command=command))

    def command(self, seeds):
        return [str(BIN / "snakemake"), "--cores", "1", "--quiet", "all", "--rerun-incomplete", "--keep-going"]

    def unlock(self, folder):
        call([str(BIN / "snakemake"), "--unlock"], folder)


class Optuna:
    name = "Optuna"

    def prepare(self, folder, seeds, trivial=False):
        (Path(folder) / "tune.py").write_text(OPTUNA)
        self.mode = "trivial" if trivial else "train"

    def command(self, seeds):
        return [sys.executable, "tune.py", str(seeds), self.mode]

    def unlock(self, folder):
        pass


class Hydra:
    name = "Hydra"

    def prepare(self, folder, seeds, trivial=False):
        (Path(folder) / "app.py").write_text(HYDRA.format(folder=folder))
        self.mode = "nothing" if trivial else "train"

    def command(self, seeds):
        values = ",".join(str(seed) for seed in range(1, seeds + 1))
        return [sys.executable, "app.py", "-m", f"+seed={values}", f"+do={self.mode}"]

    def unlock(self, folder):
        pass


def fresh(tool, seeds, trivial=False):
    folder = tempfile.mkdtemp(prefix="peers-")
    (Path(folder) / "train.py").write_text(TRAIN)
    tool.prepare(folder, seeds, trivial)
    return folder


def killed(tool):
    """Epochs computed in all for one run of five that was killed after its third."""
    folder = fresh(tool, 1)
    kill_after(3, tool.command(1), folder)
    tool.unlock(folder)
    call(tool.command(1), folder)
    return epochs(folder)


def grown(tool):
    """Runs computed in all where two seeds became three."""
    folder = fresh(tool, 2)
    call(tool.command(2), folder)
    tool.prepare(folder, 3)
    call(tool.command(3), folder)
    return epochs(folder) / 5


def failed(tool):
    """What is said of three seeds of which the second fails."""
    folder = fresh(tool, 3)
    output = call(tool.command(3), folder, FAIL=2)
    lines = output.stdout.strip().splitlines() or output.stderr.strip().splitlines()
    lines = [line for line in lines if line.startswith("mean")] or lines[-1:]
    return f"exit {output.returncode}; {lines[0][:80] if lines else 'nothing'}; {epochs(folder) // 5} runs done"


def trivial(tool, count=60):
    """CPU seconds of `count` runs that do nothing, all processes."""
    folder = fresh(tool, count, trivial=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = call(tool.command(count), folder)
    assert output.returncode == 0, output.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(program):
    """The same of mtkd-sweep: CPU seconds of 61 stages that train a network of a few weights for one step."""
    folder = Path(tempfile.mkdtemp(prefix="peers-"))
    grid = {
        "version": 1, "name": "trivial",
        "base": {
            "dataset": "synthetic-1x8x8-3", "trainImages": 3, "testImages": 3, "batchSize": 3, "epochs": 1,
            "student": {"family": "cifar_resnet", "depth": 8, "widths": [1, 1, 1, 1]}, "method": "baseline",
        },
        "seeds": {"count": 60},
    }
    (folder / "grid.json").write_text(json.dumps(grid))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = call([program, "run", "grid.json", "--workers", "1", "--quiet"], folder)
    assert output.returncode == 0, output.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(Path(sys.argv[1]).resolve())
    for tool in (Snakemake(), Optuna(), Hydra()):
        print(f"{tool.name}: {killed(tool)} epochs for 5 after kill -9 at the third", flush=True)
        print(f"{tool.name}: {grown(tool):g} runs for 3 when two seeds became three", flush=True)
        print(f"{tool.name}: one of three seeds fails: {failed(tool)}", flush=True)
        print(f"{tool.name}: {trivial(tool):.1f} s of CPU for 60 runs that do nothing", flush=True)
    print(f"mtkd-sweep: {ours(program):.1f} s of CPU for 61 trivial stages", flush=True)


if __name__ == "__main__":
    main()
