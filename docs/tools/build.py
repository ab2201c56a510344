"""Turns docs/*.md into plain HTML pages that need no network: python3 docs/tools/build.py OUT. Needs
the Markdown package."""

import pathlib
import re
import sys

try:
    import markdown
except ImportError:
    sys.exit("The Markdown package is missing. Type: sudo apt-get install python3-markdown, or make test-tools and then make docs.")

STYLE = """
:root { color-scheme: light dark; --ink: #1d2125; --paper: #fbfaf7; --soft: #5c636b; --line: #e4e1da; --code: #f4f2ec; --accent: #1d5fa8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9eb; --paper: #131619; --soft: #9aa3ab; --line: #2c3238; --code: #1f2429; --accent: #7db4f0 } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif }
main, nav { max-width: 50rem; margin: 0 auto; padding: 0 1.2rem }
nav { padding-top: 1rem; font-size: .9rem } nav a { display: inline-block; margin-right: 1.1rem } nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none }
a { color: var(--accent) } h1 { letter-spacing: -.02em; line-height: 1.2 } h2 { margin-top: 2.2rem }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .88em; background: var(--code) }
code { padding: .1em .3em; border-radius: 4px } pre { padding: .9rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px }
pre code { padding: 0; background: none } img { max-width: 100% }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .92rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line) }
@media print { nav { display: none } body { background: #fff; color: #000 } }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title} · mtkd-sweep</title><style>{style}</style>
<nav>{links}</nav>
<main>
{body}
</main>
</html>
"""


def title(text):
    return re.search(r"^# (.+)$", text, re.M).group(1)


def main(out):
    folder = pathlib.Path(__file__).resolve().parent.parent
    first = ["tutorial", "grid", "reproducing", "faq"]
    files = sorted(folder.glob("*.md"), key=lambda path: (first.index(path.stem) if path.stem in first else 9, path.stem))
    texts = {path: path.read_text(encoding="utf-8") for path in files}

    def links(here):
        def link(path):
            current = ' aria-current="page"' if path == here else ""
            return f'<a href="{path.stem}.html"{current}>{title(texts[path])}</a>'

        return "\n".join(link(path) for path in files)

    out.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        # Links between the pages; those that leave docs/ stay as they are.
        text = re.sub(r"\]\((\w[\w.-]*)\.md(#[\w-]*)?\)", r"](\1.html\2)", text)
        # A fence may name the file that its text is.
        text = re.sub(r"^```(\w+) \S+$", r"```\1", text, flags=re.M)
        body = markdown.markdown(text, extensions=["tables", "fenced_code", "toc"])
        page = PAGE.format(title=title(texts[path]), style=STYLE, links=links(path), body=body)
        (out / f"{path.stem}.html").write_text(page, encoding="utf-8")
    index = (out / f"{files[0].stem}.html").read_text(encoding="utf-8")
    (out / "index.html").write_text(index, encoding="utf-8")
    images = folder / "images"
    if images.is_dir():
        (out / "images").mkdir(exist_ok=True)
        for image in images.iterdir():
            (out / "images" / image.name).write_bytes(image.read_bytes())
    print(f"{len(files)} pages in {out}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
