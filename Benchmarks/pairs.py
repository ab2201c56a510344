"""Speed beside the strongest rival: pairs A B A B in the same minutes, CPU time, one thread, batch 64 (16 at
224 x 224), and a table with the medians and their spread.

    pairs.py [NETWORK ...] [--pairs N] [--seconds S] [--mode train|infer] [--append FILE]

The rivals are PyTorch eager, torch.compile and, for inference, onnxruntime. Each is measured once, the
fastest of them is what the pairs are with, and the table names it. Needs .build/release/mtkd-benchmarks and
the rivals' environment (`make bench-torch`).
"""

import datetime
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
OWN = os.path.join(ROOT, ".build/release/mtkd-benchmarks")
RIVAL = [os.path.join(ROOT, ".build/torch/bin/python"), os.path.join(HERE, "torch_steps.py")]
# Without these the C library gives large blocks back after each step, and the rival pays a page fault
# for every page of the next.
KEEP = {"MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TOP_PAD_": "268435456", "OMP_NUM_THREADS": "1"}
NETWORKS = (
    "resnet8 resnet20 resnet56 wrn-16-2 wrn-28-4 resnet8x4 resnet32x4 mobilenetv2 shufflenetv2 regnetx-200mf regnetx-400mf "
    "regnety-400mf deit-tiny@64 deit-tiny@224 mtkd-rl"
).split()


def measure(command, **extra):
    """Images per CPU second, and MiB of memory at most."""
    output = subprocess.run(command, env={**os.environ, **extra}, check=True, capture_output=True, text=True).stdout
    speed, memory = output.split()[-2:]
    return float(speed), float(memory)


def strongest(network, mode, options):
    """The fastest rival of one measurement each; one that cannot run this network is left out and said."""
    engines = ["eager"] if network == "mtkd-rl" else ["eager", "compile"] + ["onnxruntime"] * (mode == "infer")
    speeds = {}
    for engine in engines:
        try:
            speeds[engine] = measure([*RIVAL, network, mode, "--engine", engine, *options], **KEEP)[0]
        except subprocess.CalledProcessError as error:
            why = (error.stderr.strip().splitlines() or ["no word"])[-1]
            print(f"{engine} does not run {network} ({mode}): {why}", file=sys.stderr)
    return max(speeds, key=speeds.get)


def pairs(network, mode, count, seconds):
    ratios, own, rival = [], [], []
    options = ["--seconds", str(seconds), "--batch", "16" if network.endswith("@224") else "64"]
    engine = strongest(network, mode, options)
    for _ in range(count):
        own.append(measure([OWN, network, "--only", mode, *options]))
        rival.append(measure([*RIVAL, network, mode, "--engine", engine, *options], **KEEP))
        ratios.append(own[-1][0] / rival[-1][0])
    middle = lambda values: statistics.median(value[0] for value in values)
    memory = lambda values: max(value[1] for value in values)
    return (
        f"| {network} | {mode} | {middle(own):.0f} | {middle(rival):.0f} {engine} | **{statistics.median(ratios):.2f}** "
        f"| {min(ratios):.2f} to {max(ratios):.2f} | {memory(own):.0f} / {memory(rival):.0f} |"
    )


def first_line(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def header(count, seconds):
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    versions = first_line(
        RIVAL[0], "-c",
        "import onnxruntime, torch; print(f'PyTorch {torch.__version__}, onnxruntime {onnxruntime.__version__}')")
    commit = first_line("git", "describe", "--always", "--dirty", "--abbrev=12")
    day = datetime.date.today().isoformat()
    return (
        f"\n## {day}, {commit}, {model}, {versions}\n\n{count} pairs of {seconds:g} CPU seconds a side, load average {load:.0f} at the "
        "start. The rival is the fastest of PyTorch eager, torch.compile and, for inference, onnxruntime.\n\n"
        "| network | | images per CPU s | strongest rival | ratio, median | spread | MiB at most, both |\n| --- | --- | --- | --- | --- | --- | --- |"
    )


def main():
    words, options, names = sys.argv[1:], {"--pairs": "7", "--seconds": "3", "--append": None, "--mode": None}, []
    while words:
        word = words.pop(0)
        if word in options:
            options[word] = words.pop(0)
        else:
            names.append(word)
    count, seconds = int(options["--pairs"]), float(options["--seconds"])
    lines = [header(count, seconds)]
    print(lines[0], flush=True)
    for network in names or NETWORKS:
        modes = ["train"] if network == "mtkd-rl" else ["train", "infer"]
        for mode in [mode for mode in modes if options["--mode"] in (None, mode)]:
            lines.append(pairs(network, mode, count, seconds))
            print(lines[-1], flush=True)
    if options["--append"]:
        with open(options["--append"], "a") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
