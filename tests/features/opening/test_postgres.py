"""PostgreSQL as a source, on a real server."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from features.compat import arrow
from features.contracts.contract import (
    DUPLICATE,
    NO_CUSTOMER,
    NON_FINITE_AMOUNT,
    UNPARSEABLE_AMOUNT,
)
from features.errors import InputError
from features.inputs import Inputs
from features.opening.postgres import without_password
from tests.conftest import POSTGRES_PASSWORD, PostgresServer
from tests.features.reading import read_transactions

pytestmark = pytest.mark.postgres

SALES = """
    CREATE TABLE sales (
        customer numeric(10, 2), bought timestamptz, naive timestamp, qty integer,
        price numeric, written text, country text, kind uuid
    )
"""
ROWS = """
    INSERT INTO sales VALUES
    (17850, '2024-03-02 04:30:00+00', '2024-03-01 23:30', 2, 2.55, '5.10', 'FR', gen_random_uuid()),
    (17850, '2024-03-02 04:30:00+00', '2024-03-01 23:30', 3, 0.1, '0.3', 'FR', NULL),
    (NULL, '2024-03-02 04:30:00+00', '2024-03-01 23:30', 1, 1, '1', 'FR', NULL),
    (17851, '2024-03-02 04:30:00+00', '2024-03-01 23:30', 1, 'NaN', 'x', 'FR', NULL),
    (17852, '2024-03-02 04:30:00+00', '2024-03-01 23:30', -1, 4, '-4', 'ES', NULL)
"""

Shop = tuple[PostgresServer, str]


@pytest.fixture
def shop(postgres: Shop) -> Shop:
    """A database with one table of five sales, in two schemas."""
    server, name = postgres
    server.run(name, SALES, ROWS, "CREATE SCHEMA old", "CREATE TABLE old.sales AS TABLE sales")
    return server, name


def _read(shop: Shop, folder: Path, **given: Any) -> Inputs:
    server, name = shop
    settings = {
        "uri": server.uri(name),
        "table": "sales",
        "customer_id": "customer",
        "timestamp": "bought",
        "amount": "qty * price",
        **given,
    }
    inputs = read_transactions(folder, Path("unused"), timezone="America/New_York", **settings)
    (report,) = inputs.reports
    assert report.accepted + sum(report.rejected.values()) == report.read
    return inputs


@pytest.mark.parametrize("table", ["sales", "old.sales"])
@pytest.mark.parametrize("timestamp", ["bought", "naive"])
def test_rows_arrive_as_from_a_file(shop: Shop, tmp_path: Path, table: str, timestamp: str) -> None:
    inputs = _read(shop, tmp_path, table=table, timestamp=timestamp)
    assert dict(inputs.reports[0].rejected) == {NO_CUSTOMER: 1, NON_FINITE_AMOUNT: 1}
    rows = arrow(inputs.transactions.order_by("amount")).to_pylist()
    found = [(row["customer_id"], row["occurred_at"], row["amount"]) for row in rows]
    evening = datetime(2024, 3, 1, 23, 30)
    assert found == [
        ("17852", evening, Decimal("-4")),
        ("17850", evening, Decimal("0.3")),
        ("17850", evening, Decimal("5.1")),
    ]


@pytest.mark.parametrize(
    ("where", "read"),
    [
        ("country = 'FR'", 4),
        ("country in ('ES') or qty > 2", 2),
        # Text beside a number is read as one here, as the server cannot try to.
        ("written > 0", 3),
        ("naive < '2024-03-02'", 5),
    ],
)
def test_filters_hold_wherever_they_are_applied(
    shop: Shop, tmp_path: Path, where: str, read: int
) -> None:
    assert _read(shop, tmp_path, where=where).reports[0].read == read


def test_a_decimal_comma_is_of_text_and_leaves_the_numbers_of_the_server(
    shop: Shop, tmp_path: Path
) -> None:
    """The server's numerics come as text too, and with a point: 1.234 is no thousand there."""
    server, name = shop
    server.run(
        name,
        "UPDATE sales SET price = 1.234, written = replace(written, '.', ',')",
        "UPDATE sales SET written = '1.234,5' WHERE country = 'ES'",
    )
    given = {"decimal": ",", "where": "written > 0.2 and price < 2"}
    inputs = _read(shop, tmp_path, amount="price", **given)
    assert {str(row["amount"]) for row in arrow(inputs.transactions).to_pylist()} == {"1.234000"}
    inputs = _read(shop, tmp_path, amount="written", **given)
    amounts = sorted(row["amount"] for row in arrow(inputs.transactions).to_pylist())
    assert amounts == [Decimal("0.3"), Decimal("5.1"), Decimal("1234.5")]


def test_rejected_rows_are_kept_with_the_columns_that_were_read(shop: Shop, tmp_path: Path) -> None:
    inputs = _read(shop, tmp_path, amount="written")
    assert dict(inputs.reports[0].rejected) == {NO_CUSTOMER: 1, UNPARSEABLE_AMOUNT: 1}
    text = (tmp_path / "store" / "rejects" / "transactions.csv").read_text()
    assert text.splitlines()[0] == '"reason","detail","customer","bought","written"'
    assert '"unparseable amount",,"17851.00"' in text


def test_repeats_are_of_whole_rows(shop: Shop, tmp_path: Path) -> None:
    server, name = shop
    server.run(name, "INSERT INTO sales SELECT * FROM sales WHERE country = 'ES'")
    server.run(name, "INSERT INTO sales SELECT * FROM sales WHERE qty = 3")
    server.run(name, "UPDATE sales SET country = ctid::text WHERE qty = 3")
    inputs = _read(shop, tmp_path, deduplicate=True)
    assert inputs.reports[0].rejected[DUPLICATE] == 1


def test_the_session_cannot_write(shop: Shop, tmp_path: Path) -> None:
    server, name = shop
    server.run(
        name,
        "CREATE FUNCTION spoil() RETURNS integer LANGUAGE sql AS "
        "'INSERT INTO public.sales (qty) VALUES (1) RETURNING qty'",
        "CREATE VIEW spoilt AS SELECT *, spoil() AS spoilt FROM sales",
    )
    with pytest.raises(InputError, match="read-only"):
        _read(shop, tmp_path, table="spoilt", amount="spoilt")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"table": None}, "needs `table`; the tables are 'sales'"),
        ({"table": "sale"}, r"has no table 'sale'\. Did you mean 'sales'\?"),
        ({"customer_id": "custmer"}, r"no column 'custmer'\. Did you mean 'customer'\?"),
        ({"amount": "qty * cost"}, "cost is no column"),
        ({"where": "cuntry = 'FR'"}, r"Did you mean 'country'\?"),
    ],
)
def test_what_is_missing_is_named_with_what_there_is(
    shop: Shop, tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _read(shop, tmp_path, **given)


def test_an_empty_table_is_an_error(shop: Shop, tmp_path: Path) -> None:
    server, name = shop
    server.run(name, "DELETE FROM sales")
    with pytest.raises(InputError, match="no rows"):
        _read(shop, tmp_path)


def test_a_password_is_in_no_error(shop: Shop, tmp_path: Path) -> None:
    server, name = shop
    wrong = [
        server.uri(name, password="not-the-pa:ss/w@rd"),
        server.uri("no_such_database"),
        server.uri(name).replace("127.0.0.1", "127.0.0.1:1/"),
        f"postgresql://regulars:pa%3Ass%2Fw%40rd@127.0.0.1:{_closed_port(server)}/x",
    ]
    for uri in wrong:
        with pytest.raises(InputError, match="cannot be reached") as caught:
            _read(shop, tmp_path, uri=uri)
        assert caught.value.__cause__ is None
        for secret in (POSTGRES_PASSWORD, "pa%3Ass", "not-the"):
            assert secret not in str(caught.value)


def _closed_port(server: PostgresServer) -> int:
    return 1 if server.port != 1 else 2


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://u:p@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:p%40:x@h:5432/db?sslmode=require", "postgresql://u:***@h:5432/db?sslmode=require"),
        ("postgresql://h/db?user=u&password=p&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("data/a@b:c.csv", "data/a@b:c.csv"),
    ],
)  # fmt: skip
def test_addresses_are_shown_without_their_password(uri: str, shown: str) -> None:
    assert without_password(uri) == shown
