"""Steps of detectors and segmentors, and the operations that only they have, beside torchvision: pairs
A B A B in the same minutes, CPU time, one thread, and a table with the medians and their spread.

    downstream_pairs.py [NAME ...] [--pairs N] [--seconds S] [--own PROGRAM] [--python PYTHON] [--append FILE]

Needs .build/release/mtkd-benchmarks, and torchvision in the rivals' environment (`make bench-torch`).
"""

import datetime
import os
import statistics
import sys

import pairs

# In what each is faster in: channels last or first.
LAYOUTS = {
    "retinanet-resnet18": "last", "faster-rcnn-resnet18": "first", "mask-rcnn-resnet18": "first",
    "pspnet-resnet34": "last", "deeplabv3-resnet34": "last", "roi-align": "first", "roi-align-backward": "first",
    "nms-2000": "last", "transposed-convolution": "last"}


def row(name, own, rival):
    ratios = [b[0] / a[0] for a, b in zip(own, rival)]
    middle = lambda values: statistics.median(value[0] for value in values)
    memory = lambda values: max(value[1] for value in values)
    return (
        f"| {name} | {middle(own):.1f} | {middle(rival):.1f} | **{statistics.median(ratios):.2f}** "
        f"| {min(ratios):.2f} to {max(ratios):.2f} | {memory(own):.0f} / {memory(rival):.0f} |"
    )


def main():
    words, names = sys.argv[1:], []
    options = {
        "--pairs": "5", "--seconds": "3", "--append": None, "--own": pairs.OWN,
        "--python": os.path.join(pairs.ROOT, ".build/torch/bin/python")}
    while words:
        word = words.pop(0)
        if word in options:
            options[word] = words.pop(0)
        else:
            names.append(word)
    script = os.path.join(pairs.HERE, "torchvision_steps.py")
    version = "import torch, torchvision; print(f'PyTorch {torch.__version__}, torchvision {torchvision.__version__}')"
    commit = pairs.first_line("git", "describe", "--always", "--dirty", "--abbrev=12")
    lines = [
        f"\n## {datetime.date.today().isoformat()}, {commit}, {pairs.first_line(options['--python'], '-c', version)}\n\n"
        f"{options['--pairs']} pairs of {options['--seconds']} CPU seconds a side, load average {os.getloadavg()[0]:.0f} at "
        "the start.\n\n| a step of two images, or a call | CPU ms | torchvision | ratio, median | spread | MiB at most, both |\n"
        "| --- | --- | --- | --- | --- | --- |"]
    print(lines[0], flush=True)
    for name in names or LAYOUTS:
        own, rival = [], []
        for _ in range(int(options["--pairs"])):
            own.append(pairs.measure([options["--own"], "downstream", name, "--seconds", options["--seconds"]]))
            rival.append(pairs.measure(
                [options["--python"], script, name, "--seconds", options["--seconds"], "--layout", LAYOUTS[name]],
                **pairs.KEEP))
        lines.append(row(name, own, rival))
        print(lines[-1], flush=True)
    if options["--append"]:
        with open(options["--append"], "a") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
