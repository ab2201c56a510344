"""Writes docs/findings.md from stores: docs/tools/findings.py PROGRAM CLAIMS OUTPUT STORE...

CLAIMS is a list of the paper's sentences (docs/findings.json): what each says, its number, its source, and
either the sweep and the two methods that show it here, or why it cannot be tested here. A verdict other
than `open` needs a claim that the sweep's grid declared before its first run: what was looked for
afterwards proves nothing.
"""

import json
import subprocess
import sys
from pathlib import Path

HEAD = """# The paper's sentences, judged

The networks here have 20 000 to 300 000 parameters and learn from one or two thousand pictures of clothes;
the paper's have millions and learn from CIFAR-100 and ImageNet. A contradiction here is a hint, not a
refutation, and support is no proof. This page is written by `make findings` from the stores of our own runs;
nothing on it is written by hand.

A sentence is *supported* or *contradicted* where a grid declared it as a claim before its first run and the
answer was `different`; *no difference that matters* where the answer was that; *open* where the claim is
undecided, or where nobody declared it and the number is only looked at; *not testable here* where the program
does not have what it needs.
"""


class Stores:
    """Sweeps by name, in the first store that has them."""

    def __init__(self, program, folders):
        self.program, self.folders = program, folders

    def call(self, *arguments):
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def holding(self, sweep):
        for folder in self.folders:
            if self.call("status", sweep, "--store", folder, "--json") is not None:
                return folder
        return None

    def json(self, *arguments):
        text = self.call(*arguments, "--format", "json")
        return None if text is None else json.loads(text)


def declared(stores, folder, claim):
    """The entry of the sweep's own claims that says the same; None where the grid did not declare it."""
    found = stores.json("report", claim["sweep"], "--claims", "--store", folder)
    first, second = claim["compare"]
    for entry in (found or {}).get("claims", {}).get("comparisons", []):
        if entry["compare"] == f"{first} - {second}" and claim.get("cell", "") in entry["cell"]:
            return entry
    return None


def row(stores, folder, claim):
    """The line of `compare --anytime`: its cells by their heads; and the command."""
    first, second = claim["compare"]
    where = [word for condition in claim.get("where", []) for word in ("--where", condition)]
    mean = ["--average", ",".join(claim["average"])] if "average" in claim else []
    command = ["compare", second, first, "--anytime", "--sweep", claim["sweep"], *where, *mean]
    sheet = stores.json(*command, "--store", folder)
    lines = [line for line in (sheet or {}).get("rows", []) if claim.get("cell", "") in line[0]]
    if len(lines) != 1:
        return None, command
    return dict(zip(["cell"] + sheet["head"][1:], lines[0])), command


def hours(stores, folder, claim):
    """CPU hours of the students of the two methods."""
    total = 0.0
    for line in (stores.call("export", claim["sweep"], "--store", folder, "--format", "csv") or "").splitlines():
        fields = line.split(",")
        if fields[-2] == "measured.cpuSeconds" and set(fields) & set(claim["compare"]):
            total += float(fields[-1])
    return total / 3600


def verdict(claim, entry):
    if entry is None:
        return "open (not declared beforehand)"
    if entry["answer"] == "different":
        return "supported" if (entry["difference"] > 0) == (claim["paper"] > 0) else "contradicted"
    return {"noDifference": "no difference that matters"}.get(entry["answer"], "open")


def judged(stores, claim):
    """The cells of a claim's line in the table."""
    source = f"{claim['text']}: {claim['paper']:+g} ({claim['source']})"
    if "reason" in claim:
        return [source, f"not testable here: {claim['reason']}", "", "", "", "", ""]
    folder = stores.holding(claim["sweep"])
    if folder is None:
        return [source, f"open: {claim['sweep']} has not been run", "", "", "", "", ""]
    found, command = row(stores, folder, claim)
    shown = "`mtkd-sweep " + " ".join(f"'{word}'" if " " in word or "=" in word else word for word in command) + "`"
    if found is None:
        return [source, f"open: {claim['sweep']} has no such pair yet", "", "", "", "", shown]
    interval = next(value for head, value in found.items() if head.startswith("95 %"))
    cost = f"{hours(stores, folder, claim):.2f}"
    word = verdict(claim, declared(stores, folder, claim))
    return [source, word, found["difference"], interval, found["n"], found["e"], f"{cost} CPU hours; {shown}"]


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    program, claims, output, folders = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    stores = Stores(str(Path(program).resolve()), folders)
    lines = [HEAD, "| the paper | here | difference | 95 % interval, anytime-valid | n | e | cost and command |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    for claim in json.loads(Path(claims).read_text()):
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in judged(stores, claim)) + " |")
    Path(output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
