"""The verbs that read: what they say of the data, and what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regulars import cli, exits


def run(*arguments: str | Path, code: int = exits.DONE) -> CliRunner:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_check_adds_up_and_says_what_is_missing(config: Path):
    report = json.loads(run("check", "-c", config, "--json").stdout)
    (source,) = report["sources"]
    assert source["read"] == 8
    assert source["accepted"] + sum(source["rejected"].values()) == source["read"]
    assert sum(source["rejected"].values()) == 1
    # Cid's purchase was taken back, so Ann and Bob are left, and both came back.
    assert (report["customers"], report["returned"], report["repeat_rate"]) == (2, 2, 1.0)
    assert report["as_of"] == "2024-03-02"
    answers = {answer["question"]: answer["ready"] for answer in report["answers"]}
    assert answers == {"value": False, "risk": False, "grade": False, "season": False}


def test_check_prints_for_people_what_json_holds(config: Path):
    shown = run("check", "-c", config).stdout
    assert "2 of 2 customers came back at least once (100%)." in shown
    assert str(config.parent / ".regulars" / "rejects") in shown


def test_check_reads_the_treatments(config: Path):
    told = '\n[sources.treatments]\nuri = "t.csv"\ncustomer_id = "c"\n'
    told += 'timestamp = "t"\ncampaign = "k"\n'
    config.write_text(config.read_text() + told)
    (config.parent / "t.csv").write_text("c,t,k\nann,2024-02-01,spring\nbob,2024-02-01,\n")
    found = json.loads(run("check", "-c", config, "--json").stdout)["sources"][-1]
    assert (found["source"], found["accepted"]) == ("treatments", 1)
    assert found["rejected"] == {"no campaign": 1}


def test_build_writes_one_row_a_buyer(config: Path):
    import pyarrow.parquet as pq

    built = json.loads(run("build", "-c", config, "--as-of", "2024-02-01", "--json").stdout)
    assert (built["as_of"], built["customers"]) == ("2024-02-01", 2)
    rows = pq.read_table(built["path"], partitioning=None).to_pylist()
    assert [(row["customer_id"], row["frequency"]) for row in rows] == [("ann", 0), ("bob", 0)]


def test_a_date_beyond_the_log_is_noted(config: Path):
    result = run("build", "-c", config, "--as-of", "2024-06-01")
    assert "the last row is of 2024-03-01" in result.stderr
    assert "Note" not in run("build", "-c", config, "--as-of", "2024-03-02").stderr


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Sets the machine's clock to noon in UTC on 1 June 2024."""
    noon = datetime(2024, 6, 1, 12, tzinfo=UTC)

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return noon.astimezone(tz)

    monkeypatch.setattr("regulars.jobs.datetime", Fixed)
    return noon


@pytest.mark.parametrize("verb", ["build", "train", "score"])
@pytest.mark.parametrize("day", ["2024-06-03", "2030-01-01"])
def test_a_date_after_tomorrow_is_wrong_use(config: Path, clock: datetime, verb: str, day: str):
    """Scored, it would be served as the newest table until that day comes."""
    result = run(verb, "-c", config, "--as-of", day, code=exits.WRONG_USE)
    said = " ".join(result.stderr.replace("│", " ").split())
    assert f"{day} lies in the future: today is 2024-06-01 in Europe/Berlin." in said
    assert "Give a day up to 2024-06-02." in said
    assert not (config.parent / ".regulars").exists()


def test_tomorrow_is_the_last_date_that_is_taken(config: Path, clock: datetime):
    result = run("build", "-c", config, "--as-of", "2024-06-02")
    assert "the last row is of 2024-03-01" in result.stderr
    assert "as of 2024-06-02" in result.stdout


def test_tomorrow_is_that_of_the_business(config: Path, clock: datetime):
    """On the Line Islands it is the second of June already; on Hawaii it is the first."""
    text = config.read_text()
    for zone, code in (("Pacific/Kiritimati", exits.DONE), ("Pacific/Honolulu", exits.WRONG_USE)):
        config.write_text(text.replace("Europe/Berlin", zone))
        run("build", "-c", config, "--as-of", "2024-06-03", code=code)


def log(config: Path, *lines: str, settings: str = "") -> None:
    """Another log for the corner shop, and more settings of its source."""
    (config.parent / "lines.csv").write_text("\n".join(["who,day,amount", *lines, ""]))
    config.write_text(config.read_text() + settings)


@pytest.mark.parametrize("verb", ["check", "build", "train", "score", "demo"])
def test_every_verb_that_reads_notes_that_many_rows_were_rejected(
    tracked: Path, verb: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("regulars.demo.prepare", lambda _: tracked)
    # Three customers are too few to train on or to score.
    code = exits.DONE if verb in ("check", "build") else exits.REFUSED
    where = ("--no-serve",) if verb == "demo" else ("-c", tracked)
    assert (
        "transactions: 1 of 8 rows (12%) were rejected, all of them for 'unparseable amount'; "
        f"see {tracked.parent / '.regulars' / 'rejects'}.\n"
    ) in run(verb, *where, code=code).stderr


def test_one_rejected_row_in_twenty_is_not_worth_a_note(config: Path):
    good = [f"c{n},2024-01-{n:02},5" for n in range(1, 20)]
    log(config, *good, "c1,2024-01-20,much")
    assert run("check", "-c", config).stderr == ""
    log(config, *good[1:], "c1,2024-01-20,much")
    assert "1 of 19 rows (5%) were rejected" in run("check", "-c", config).stderr


GERMAN = [f"c{n % 9},{n % 28 + 1:02}.{n % 12 + 1:02}.2023,5" for n in range(60)]


@pytest.mark.parametrize("verb", ["build", "train", "score"])
def test_mostly_unreadable_dates_are_refused_with_the_setting_to_look_at(tracked: Path, verb: str):
    """Days and months the wrong way round: the days up to the twelfth look right."""
    log(tracked, *GERMAN, settings='timestamp_format = "%m.%d.%Y"\n')
    result = run(verb, "-c", tracked, code=exits.REFUSED)
    told = result.stderr.splitlines()[-1]
    assert told.startswith("transactions: 32 of 60 rows (53%) were rejected for 'unparseable date'")
    assert "Look at timestamp_format in [sources.transactions]." in told
    assert "'day' holds for instance '13.01.2023', which does not fit" in told
    assert "timestamp_format = '%m.%d.%Y'" in told
    assert not (tracked.parent / ".regulars" / "behaviour").exists()


def test_check_does_not_say_enough_of_mostly_unreadable_rows(config: Path):
    log(config, *GERMAN, settings='timestamp_format = "%m.%d.%Y"\n')
    result = run("check", "-c", config, "--json")
    report = json.loads(result.stdout)
    assert [answer["ready"] for answer in report["answers"]] == [False] * 4
    assert all("(53%) were rejected" in answer["why"] for answer in report["answers"])
    assert report["obstacle"] == result.stderr.splitlines()[-1]
    assert report["sources"][0]["advice"].keys() == {"unparseable date"}
    # With the right format nothing stands in the way.
    config.write_text(config.read_text().replace("%m.%d", "%d.%m"))
    result = run("check", "-c", config, "--json")
    assert json.loads(result.stdout)["obstacle"] is None
    assert result.stderr == ""


def test_a_quarter_without_customer_is_noted_and_no_obstacle(config: Path):
    rows = [f"{'' if n % 4 == 0 else f'c{n % 9}'},2023-{n % 12 + 1:02}-05,5" for n in range(60)]
    log(config, *rows)
    result = run("check", "-c", config, "--json")
    assert "15 of 60 rows (25%) were rejected, all of them for 'no customer id'" in result.stderr
    assert json.loads(result.stdout)["obstacle"] is None
    run("build", "-c", config)


def test_check_of_nothing_accepted_says_why_and_refuses(config: Path):
    log(config, "ann,05.01.2024,10", "bob,05.01.2024,20", ",05.01.2024,5")
    for more in ((), ("--json",)):
        result = run("check", "-c", config, *more, code=exits.REFUSED)
        told = result.stderr.splitlines()[-1]
        assert told.startswith(
            "transactions: no row was accepted; 3 of 3 rows (100%) were rejected, most of them for "
            "'unparseable date'. 'day' holds for instance '05.01.2024'."
        )
        assert "later --as-of" not in result.output
    assert json.loads(result.stdout)["obstacle"] == told
    told = run("build", "-c", config, code=exits.REFUSED).stderr
    assert "no row was accepted" in told
    assert "later --as-of" not in told


def test_check_of_customers_of_whom_none_was_accepted_refuses(config: Path):
    """Under the label rule the customers are the rows that are needed."""
    (config.parent / "customers.csv").write_text("who,left\n,yes\n,no\n")
    told = '[sources.customers]\nuri = "customers.csv"\ncustomer_id = "who"\nlabel = "left"\n'
    config.write_text(f'{config.read_text()}\n{told}\n[churn]\nrule = "label"\n')
    result = run("check", "-c", config, code=exits.REFUSED)
    assert "customers: no row was accepted" in result.stderr


def test_check_names_the_attributes_that_know_the_answer(config: Path):
    rows = [
        f"c{i},{i % 40},{'yes' if i % 3 else 'no'},{'moved' if i % 3 else ''}" for i in range(300)
    ]
    (config.parent / "customers.csv").write_text("\n".join(["who,age,left,reason", *rows]))
    told = '[sources.customers]\nuri = "customers.csv"\ncustomer_id = "who"\nlabel = "left"\n'
    told += 'attributes = ["age", "reason"]\n'
    config.write_text(f'{config.read_text()}\n{told}\n[churn]\nrule = "label"\n')
    (answer,) = json.loads(run("check", "-c", config, "--json").stdout)["answers"]
    assert answer["ready"]
    assert "Left out" in answer["why"]
    assert "reason (" in answer["why"]
    assert "age (" not in answer["why"]
    config.write_text(config.read_text() + 'keep = ["reason"]\n')
    (answer,) = json.loads(run("check", "-c", config, "--json").stdout)["answers"]
    assert "Kept because" in answer["why"]


def test_check_counts_the_events_that_are_not_read(config: Path):
    (config.parent / "events.csv").write_text(
        "who,day,what\n" + "ann,2024-01-06,Reklamation\n" * 3 + "bob,2024-01-06,contact\n"
    )
    events = '\n[sources.events]\nuri = "events.csv"\ncustomer_id = "who"\n'
    config.write_text(f'{config.read_text()}{events}timestamp = "day"\nkind = "what"\n')
    said = "3 of 4 events are of kinds that are not read: 'reklamation' (3)."
    assert f"events: {said}" in run("check", "-c", config).stdout
    (*_, source) = json.loads(run("check", "-c", config, "--json").stdout)["sources"]
    assert [note.startswith(said) for note in source["notes"]] == [True]
    config.write_text(config.read_text() + 'kinds = { REKLAMATION = "complaint" }\n')
    assert "not read" not in run("check", "-c", config).stdout
