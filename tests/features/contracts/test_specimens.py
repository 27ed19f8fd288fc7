"""What is shown of values that could not be read: one of them, and the setting that would."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from features.contracts.contract import UNPARSEABLE_AMOUNT, UNPARSEABLE_DATE
from features.inputs import Inputs
from tests.features.reading import read_transactions

HEAD = "id;at;amount;n\n"
GOOD = "C1;2024-03-01;5;1\n"
Take = Callable[..., Inputs]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Reads transactions with semicolons; settings by keyword."""
    return partial(read_transactions, tmp_path, delimiter=";")


def _advice(inputs: Inputs, reason: str) -> str:
    (report,) = inputs.reports
    assert report.advice.keys() <= report.rejected.keys()
    assert set(report.advice.values()) <= set(report.notes)
    return report.advice[reason]


def _details(folder: Path) -> list[str]:
    with (folder / "store" / "rejects" / "transactions.csv").open(newline="") as file:
        return [row["detail"] for row in csv.DictReader(file)]


COMMA = 'for numbers with a decimal comma set decimal = "," in [sources.transactions].'
POINT = 'for numbers with a decimal point remove decimal = "," from [sources.transactions].'


@pytest.mark.parametrize("value", ["-10,02", "1.234,50", "0,5", "1234,567", "12,3456"])
def test_a_decimal_comma_is_met_with_the_setting(take: Take, tmp_path: Path, value: str) -> None:
    inputs = take(f"{HEAD}{GOOD}C1;2024-03-01;{value};1\n")
    told = _advice(inputs, UNPARSEABLE_AMOUNT)
    assert told == (
        f"'amount' holds for instance '{value}'. Expected a plain number such as 1234.50; {COMMA}"
    )
    assert _details(tmp_path) == [f"'amount': {COMMA}"]


@pytest.mark.parametrize("value", ["1,234.50", "1,234", "999,999", "five", "£5", "1 234,50"])
def test_other_text_is_no_decimal_comma(take: Take, tmp_path: Path, value: str) -> None:
    """1,234 may be a thousand written the English way: reading it as 1.234 would be worse."""
    told = _advice(take(f"{HEAD}{GOOD}C1;2024-03-01;{value};1\n"), UNPARSEABLE_AMOUNT)
    assert repr(value) in told
    assert "decimal" not in told
    assert _details(tmp_path) == [""]


def test_a_decimal_point_is_met_with_the_setting_that_is_in_its_way(
    take: Take, tmp_path: Path
) -> None:
    text = f"{HEAD}{GOOD}C1;2024-03-01;10.02;1\nC1;2024-03-01;five;1\n"
    told = _advice(take(text, decimal=","), UNPARSEABLE_AMOUNT)
    assert "'amount' holds for instance '10.02'" in told
    assert 'Expected a number such as 1.234,50, as decimal = "," is set' in told
    assert told.endswith(POINT)
    assert sorted(_details(tmp_path)) == ["", f"'amount': {POINT}"]


def test_a_value_with_a_decimal_comma_is_shown_before_others(take: Take) -> None:
    text = f"{HEAD}{GOOD}" + "".join(f"C1;2024-03-01;{value};1\n" for value in ("!", "8,5", "x"))
    assert "'8,5'" in _advice(take(text), UNPARSEABLE_AMOUNT)


def test_each_column_of_arithmetic_shows_its_own_value(take: Take, tmp_path: Path) -> None:
    text = f"{HEAD}C1;2024-03-01;5,5;2\nC1;2024-03-01;5;two\nC1;2024-03-01;3;4\n"
    told = _advice(take(text, amount="amount * n"), UNPARSEABLE_AMOUNT)
    assert "'amount' holds for instance '5,5'" in told
    assert "'n' holds for instance 'two'" in told
    assert sorted(_details(tmp_path)) == ["", f"'amount': {COMMA}"]


def test_a_date_that_is_no_iso_date_is_met_with_the_setting(take: Take) -> None:
    told = _advice(take(f"{HEAD}{GOOD}C1;31.12.2024;5;1\n"), UNPARSEABLE_DATE)
    assert told == (
        "'at' holds for instance '31.12.2024'. Expected an ISO date such as 2024-03-31; for "
        "another way of writing set timestamp_format in [sources.transactions], for 31.03.2024 to "
        '"%d.%m.%Y".'
    )


def test_a_date_that_does_not_fit_is_shown_with_the_format_that_was_set(take: Take) -> None:
    text = f"{HEAD}C1;12/31/2023;5;1\nC1;31/12/2023;5;1\n"
    told = _advice(take(text, timestamp_format="%d/%m/%Y"), UNPARSEABLE_DATE)
    assert told == (
        "'at' holds for instance '12/31/2023', which does not fit timestamp_format = '%d/%m/%Y' in "
        "[sources.transactions]; set it to how the dates are written."
    )
    assert "ISO" not in told


def test_nothing_unreadable_is_no_advice(take: Take) -> None:
    (report,) = take(HEAD + GOOD + ";2024-03-01;5;1\n").reports
    assert dict(report.advice) == {}
