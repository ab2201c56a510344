"""Writes what mtkd_torch computes of every case of the fixtures into `torch_record.json`: `make test-torch`.

    record_torch.py FIXTURES [PART OF A CASE'S NAME ...]        with names: prints these, and writes nothing

The record has each case's largest error as a share of its limit, and the digests of the code and of
the fixtures that it is about. `test_torch_record.py` fails where it is old or where a case is
missing, and needs no torch.
"""
import hashlib
import importlib
import json
import os
import pathlib
import sys

import torch_photographs

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RECORD = HERE / "torch_record.json"
SUITES = ("torch_methods", "torch_models", "torch_trajectories", "torch_recipes", "torch_steps", "torch_photographs")


def digest_of(paths, root) -> str:
    """Of files by their paths below a folder and their bytes."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        data = path.read_bytes()
        whole.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()


def code_digest() -> str:
    """Of the packages that compute, and of what compares them."""
    packages = [path for name in ("mtkd_torch", "mtkd_trainer") for path in (ROOT / name).rglob("*.py")]
    return digest_of(packages + [HERE / f"{name}.py" for name in (*SUITES, "fill_rule")], ROOT)


def fixtures_digest(folder) -> str:
    folder = pathlib.Path(folder)
    return digest_of(
        [folder / "methods.json", *folder.glob("models/*.safetensors"), folder / "models" / "index.json",
         *folder.glob("runs/*.json"), *folder.glob("steps/*"), *folder.glob("photographs/*.bin")], folder)


def listed(folder) -> list[str]:
    """The names of all cases, without torch. The specification's own folder has none of this program."""
    def of(*path):
        with open(os.path.join(folder, *path), encoding="utf-8") as file:
            return json.load(file)
    return sorted(
        [f"methods/{case['id']}" for case in of("methods.json")["cases"]]
        + [f"models/{case['id']}" for case in of("models", "index.json")["cases"]]
        + [f"runs/{name}" for name in of("runs", "index.json")["files"]]
        + [f"steps/{entry['run']['student']['family']}/{entry['run']['method']['name']}"
           for entry in (of("steps", "steps.json") if os.path.isdir(os.path.join(folder, "steps")) else [])]
        + list(torch_photographs.cases(folder)))


def main():
    folder, wanted = sys.argv[1], sys.argv[2:]
    sys.path[:0] = [str(ROOT), str(HERE)]
    import torch
    torch.set_num_threads(1)
    results, failed = {}, []
    for suite in map(importlib.import_module, SUITES):
        for name, case in suite.cases(folder).items():
            if wanted and not any(part in name for part in wanted):
                continue
            errors = suite.check(folder, case)
            worst = max(errors, key=errors.get)
            results[name] = {"error": float(f"{errors[worst]:.3g}"), "in": worst}
            if not errors[worst] <= 1:
                failed.append(name)
                print(f"{name}: {', '.join(f'{k} {v:.3g}' for k, v in sorted(errors.items()) if not v <= 1)}")
    print(f"{len(results)} cases, {len(failed)} beyond their limits, with torch {torch.__version__}")
    if failed or not results:
        sys.exit(1)
    if not wanted:
        head = {
            "code": code_digest(), "fixtures": fixtures_digest(folder), "torch": torch.__version__,
            "unit": "the largest error as a share of its limit"}
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
        cases = [f"  {json.dumps(name)}: {json.dumps(results[name])}" for name in sorted(results)]
        text = "{\n " + ",\n ".join(lines) + ',\n "cases": {\n' + ",\n".join(cases) + "\n }\n}\n"
        RECORD.write_text(text, encoding="utf-8")



if __name__ == "__main__":
    main()
