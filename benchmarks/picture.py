"""The picture of the workbench in the README, from the data of `regulars demo`.

    python benchmarks/picture.py --folder /tmp/picture      # writes docs/workbench.png

Needs chromium. The demonstration is made in the folder unless it is there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import options, service_contest

OUT = service_contest.ROOT / "docs" / "workbench.png"
WIDTH, HEIGHT = 1200, 820


def main(arguments: Sequence[str] | None = None) -> None:
    """Take the picture."""
    from playwright.sync_api import sync_playwright

    parser = options.parser(__doc__)
    parser.add_argument("--folder", type=Path, help="keeps the demonstration for the next run")
    parser.add_argument("--page", default="/", help="of the workbench")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        home = service_contest.demonstration(given.folder or Path(made))
        command = service_contest.regulars(home / "regulars.toml")
        with service_contest.serving(command) as address, sync_playwright() as playwright:
            program, flags = shutil.which("chromium"), ["--headless", "--no-sandbox"]
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(180_000)
            page.goto(f"http://{address}{given.page}")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=given.out)
            browser.close()
    print(f"{given.out}: {given.out.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
