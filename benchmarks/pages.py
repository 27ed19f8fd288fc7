"""How long the pages of the workbench take with a million customers.

    python benchmarks/pages.py                      # some minutes
    python benchmarks/pages.py --customers 1e5 --folder /tmp/pages

The customers of `regulars demo` (CDNOW), each as often as it takes, with score tables of two dates
and the days of their purchases; the real service with one worker; every page asked for over one
open connection, as a browser does. `first` is the first request of a page, right after the start.
"""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import options, service_contest
from benchmarks.printed import table, tell
from features.store import Store, write_parquet

EARLIER = "1998-04-01"
#: Median below which a page is quick enough, in milliseconds.
BOUND = 300.0
KINDS = ("scores", "behaviour", "occasions")


@dataclass(frozen=True)
class Page:
    """A page that is asked for again and again.

    Parameters
    ----------
    what : str
        For the table.
    path : str
        ``{}`` in it is another number each time.
    form : str
        Sent as a form by POST where there is one.
    """

    what: str
    path: str
    form: str = ""


def pages(customer: str, customers: int) -> list[Page]:
    """Every page; of the list a few that differ in what they ask of the engine."""
    last = max(1, customers // 25 - 1)
    return [
        Page("Overview", "/"),
        Page("Customers", "/customers"),
        Page("Customers, by risk", "/customers?sort=-churn_probability"),
        Page("Customers, filtered", "/customers?stage=at_risk&tier=key&min_churn_probability=0.5"),
        Page("Customers, the last page", f"/customers?sort=-clv&page={last}"),
        Page("Customer", "/customer", urlencode({"customer_id": customer})),
        Page("Segments", "/segments"),
        Page("Segments, another raise", "/segments?retention=0.1"),
        Page("Satisfaction", "/satisfaction"),
        Page("Plan", "/plan"),
        Page("Plan, another budget each time", "/plan?budget={}"),
        Page("Effects", "/effects"),
        Page("Models", "/models"),
        Page("Data", "/data"),
        Page("API", "/docs"),
    ]


def grown(rows: pa.Table, copies: int) -> pa.Table:
    """Every customer so often, each copy with an id of its own, in the order of the ids."""
    ids = rows["customer_id"].combine_chunks().dictionary_encode()
    who = np.argsort(np.argsort(ids.dictionary.to_numpy(zero_copy_only=False)))[
        ids.indices.to_numpy()
    ]
    place = np.tile(np.arange(len(rows)), copies)
    copy = np.repeat(np.arange(copies), len(rows))
    order = np.lexsort((place, copy, who[place]))
    taken = rows.take(pa.array(place[order]))
    suffix = pa.array([f"-{number:04}" for number in range(copies)]).take(pa.array(copy[order]))
    named = pc.binary_join_element_wise(taken["customer_id"], pa.chunked_array([suffix]), "")
    at = rows.schema.get_field_index("customer_id")
    return taken.set_column(at, rows.schema.field(at), named)


def large(home: Path, folder: Path, customers: int) -> Path:
    """A store with so many customers, from the demonstration's; made once.

    Parameters
    ----------
    home : Path
        The demonstration's folder.
    folder : Path
        Where the large one goes.
    customers : int
        At least so many.

    Returns
    -------
    Path
        Its settings file.
    """
    config = folder / "regulars.toml"
    if config.exists():
        return config
    small, big = Store(home / ".regulars"), Store(folder / ".regulars")
    if date.fromisoformat(EARLIER) not in small.dates("scores"):
        _score(home)
    for kind in KINDS:
        for day in small.dates(kind):
            rows = pq.read_table(getattr(small, kind)(day), partitioning=None)
            copies = -(-customers // len(pc.unique(rows["customer_id"])))
            kept = {k.decode(): v.decode() for k, v in (rows.schema.metadata or {}).items()}
            write_parquet(grown(rows, copies), getattr(big, kind)(day), kept)
    report = small.report()
    if report.exists():
        big.report().write_bytes(report.read_bytes())
    text = (home / "regulars.toml").read_text(encoding="utf-8")
    tracked = f'\n[tracking]\nuri = "sqlite:///{small.path.absolute() / "mlflow.db"}"\n'
    config.write_text(text + tracked, encoding="utf-8")
    return config


def _score(home: Path) -> None:
    command = [sys.executable, "-m", "regulars", "score", "-c", str(home / "regulars.toml")]
    command += ["--as-of", EARLIER, "--out", str(home / "earlier.parquet")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def serving(config: Path) -> Iterator[str]:
    """The service over a settings file, by its address."""
    with service_contest.serving(service_contest.regulars(config)) as address:
        yield address


def ask(address: str, page: Page, requests: int) -> dict[str, str]:
    """One row of the table."""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=600)) as line:
        first, size = _wait(line, page, 1000)
        waits = [_wait(line, page, 1000 + 10 * turn)[0] for turn in range(1, requests + 1)]
    middle, slow = service_contest.percentiles(waits)
    return {
        "page": page.what,
        "median": f"{middle:,.0f} ms",
        "p95": f"{slow:,.0f} ms",
        "first": f"{first:,.0f} ms",
        "size": f"{size / 1024:,.0f} kB",
        f"below {BOUND:.0f} ms": "yes" if middle < BOUND else "NO",
    }


def _wait(line: http.client.HTTPConnection, page: Page, number: int) -> tuple[float, int]:
    """Milliseconds from sending a request to having its whole answer, and its size in bytes."""
    how = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
    start = time.perf_counter()
    path = page.path.format(number)
    line.request("POST" if page.form else "GET", path, page.form or None, how)
    answer = line.getresponse()
    said = answer.read()
    taken = time.perf_counter() - start
    if answer.status != 200:
        raise RuntimeError(f"{page.path} answered {answer.status}: {said[:300]!r}")
    return 1e3 * taken, len(said)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = options.parser(__doc__)
    parser.add_argument("--customers", type=float, default=1e6, help="at least so many")
    parser.add_argument("--requests", type=int, default=20, help="timed requests of each page")
    parser.add_argument("--folder", type=Path, help="keeps the made data for the next run")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        home = service_contest.demonstration(folder)
        number = int(given.customers)
        config = large(home, folder / f"large-{number}", number)
        store = Store(config.parent / ".regulars")
        file = pq.ParquetFile(store.scores(store.dates("scores")[-1]))
        customer = file.read_row_group(0, columns=["customer_id"])["customer_id"][12_345].as_py()
        tell(f"{file.metadata.num_rows:,} customers in {config.parent}")
        with serving(config) as address:
            rows = []
            for page in pages(customer, file.metadata.num_rows):
                tell(page.what)
                rows.append(ask(address, page, given.requests))
    print(f"{file.metadata.num_rows:,} customers, {given.requests} requests of each page\n")
    print(table(rows))


if __name__ == "__main__":
    main()
