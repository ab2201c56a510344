"""Writes what mtkd-sweep's own trainer computes in the first ten steps of runs into `Tests/Fixtures/steps`.

    record_steps.py PROGRAM FOLDER          FOLDER is Tests/Fixtures/steps, which has the grid

Every epoch of these runs is one batch, so that the record of an epoch is that of a step. Images and
teachers' weights go beside the numbers: `torch_steps.py` gives mtkd_torch the same. A test of the built
program runs the grid again.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

#: Of the metrics of a step, those that both trainers have and that are no counts.
COMPARED = re.compile(
    r"train\.(loss|task|logit|feature)|test\.loss|weight\.(logit|feature)\.\d+|policy\.(objective|gradient|valueLoss)")


def main(program: str, folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        store = pathlib.Path(place) / "store"
        subprocess.run(
            [program, "run", folder / "grid.json", "--store", store], check=True, stdout=subprocess.DEVNULL)
        lines = [entry(stage, folder) for stage in sorted((store / "stages").iterdir())]
    runs = "".join(f" {json.dumps(line, sort_keys=True)},\n" for line in sorted(filter(None, lines), key=json.dumps))
    (folder / "steps.json").write_text(f"[\n{runs.removesuffix(chr(10)).removesuffix(',')}\n]\n", encoding="utf-8")


def entry(stage: pathlib.Path, folder: pathlib.Path) -> dict | None:
    """A student's run with the metrics of its steps, and its inputs as files of the folder."""
    document = json.loads((stage / "spec.json").read_text(encoding="utf-8"))
    if document["kind"] != "student":
        return None
    dataset, *teachers = document["inputs"]
    for key, file, name in [(dataset, "images.bin", "images.bin")] + [
            (key, "best.safetensors", f"teacher{place}.safetensors") for place, key in enumerate(teachers)]:
        shutil.copyfile(stage.parent / key / "output" / file, folder / name)
    records = [json.loads(line) for line in (stage / "attempts/1/records.jsonl").read_text().splitlines()]
    metrics = [record["metrics"] for record in records if record["record"] == "epoch"]
    steps = [{name: step[name] for name in step if COMPARED.fullmatch(name)} for step in metrics]
    return {"run": document["spec"], "steps": steps}


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
