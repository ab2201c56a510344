"""Makes a picture of a terminal: tmux capture-pane -e -p -t PANE | python3 docs/tools/terminal.py OUT.png.
Needs playwright and Chromium."""

import html
import re
import sys

from playwright.sync_api import sync_playwright

STYLE = """
body { margin: 0; padding: 26px; background: #0d1013; width: max-content }
.window { background: #171b20; border: 1px solid #2c3238; border-radius: 10px; box-shadow: 0 8px 30px #0008; overflow: hidden }
.title { background: #20262c; padding: 11px 16px } .title i { display: inline-block; width: 12px; height: 12px; border-radius: 50%;
  background: #40474e; margin-right: 8px }
pre { margin: 0; padding: 18px 22px 22px; color: #dfe3e6; font: 16px/1.4 "DejaVu Sans Mono", monospace }
.bold { color: #fff; font-weight: 700 } .dim { color: #8b949c } .full { color: #6cc592 } .empty { color: #2f363d }
"""


def marked(line):
    """One line as HTML: bold, dim, and the blocks of bars."""
    out, style = [], ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if found:
            codes = found.group(1).split(";")
            style = "bold" if "1" in codes else "dim" if "2" in codes else ""
            continue
        text = html.escape(part)
        text = re.sub("█+", lambda bar: f'<span class="full">{bar.group()}</span>', text)
        text = re.sub("░+", lambda bar: f'<span class="empty">{bar.group()}</span>', text)
        out.append(f'<span class="{style}">{text}</span>' if style else text)
    return "".join(out)


def main(out):
    lines = sys.stdin.read().rstrip().split("\n")
    body = "\n".join(marked(line.rstrip()) for line in lines)
    page = f'<!doctype html><style>{STYLE}</style><div class="window"><div class="title"><i></i><i></i><i></i></div><pre>{body}</pre></div>'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        at = browser.new_page(device_scale_factor=1.4)
        at.set_content(page)
        at.locator("body").screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
