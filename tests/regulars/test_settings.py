"""The settings file: what is read, and how every fault is worded."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from features.errors import SettingsError
from regulars.settings import Settings, load, loggable, parse

MINIMAL: dict[str, Any] = {
    "name": "corner-shop",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "sources": {
        "transactions": {
            "uri": "data/*.csv",
            "customer_id": "who",
            "timestamp": "when",
            "amount": "Quantity * Price",
        }
    },
}
EVENTS = {"uri": "events.csv", "customer_id": "who", "timestamp": "when", "kind": "what"}
CUSTOMERS = {"uri": "customers.csv", "customer_id": "who", "label": "left"}


def changed(**changes: Any) -> dict[str, Any]:
    """The minimal settings with dotted keys replaced (`sources__transactions__uri`)."""
    content = copy.deepcopy(MINIMAL)
    for dotted, value in changes.items():
        *above, key = dotted.split("__")
        section = content
        for name in above:
            section = section.setdefault(name, {})
        section[key] = value
    return content


def read(content: dict[str, Any], folder: Path = Path("/shop"), **environment: str) -> Settings:
    return parse(content, file=folder / "regulars.toml", environment=environment)


def without(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys}


def test_defaults_are_those_of_the_design():
    settings = read(MINIMAL)
    assert settings.churn.rule == "inactivity"
    assert settings.churn.horizon_days == 90
    assert settings.value.clv_horizon_days == 365
    assert settings.value.margin == 0.30
    assert settings.value.annual_discount_rate == 0.10


CALL = {"channel": "telephone"}
FAULTS = [
    # (settings, what the sentence has to hold)
    (changed(churn__horzon_days=30), "unknown key `horzon_days` in [churn]; did you mean `horizon"),
    (changed(curency="EUR"), "unknown key `curency`; did you mean `currency`?"),
    (changed(horizon_days=30), "unknown key `horizon_days`; it belongs in [churn]."),
    (changed(action={"call": CALL}), "unknown section [action]; did you mean [actions]?"),
    (changed(capacity=3), "unknown key `capacity`; it belongs in [actions.<name>]."),
    (changed(actions__call={"chanel": "x"}), "key `chanel` in [actions.call]; did you mean `chann"),
    (changed(actions__call={}), "`channel` is missing in [actions.call]. How it reaches"),
    (
        changed(actions__call={**CALL, "kept": {"men": 1}}),
        "[actions.call.kept]; did you mean `m",
    ),
    (changed(actions__call={**CALL, "cost": True}), "`cost` in [actions.call] must be a number"),
    (changed(actions__call={**CALL, "cost": -1}), "`cost` in [actions.call] must be at least 0"),
    (changed(actions__call=3), "`call` in [actions] must be a section of its own; got 3."),
    (changed(actions={"a b": CALL}), "got the action 'a b'; expected letters"),
    (changed(actions__call={**CALL, "reasons": ["rythm"]}), "Did you mean 'rhythm'?"),
    (changed(actions__call={**CALL, "min_risk": 0.5, "max_risk": 0.2}), "nobody is in between"),
    (
        changed(
            sources__customers={**CUSTOMERS, "permissions": ["mail_ok"]},
            actions__call={**CALL, "consent": "mailok"},
        ),
        "`consent` in [actions.call] names 'mailok', which is not among the `permissions` of "
        "[sources.customers]; did you mean 'mail_ok'?",
    ),
    (changed(plan__suppressed="stop"), "`suppressed` in [plan] names 'stop', which is not among"),
    (
        changed(sources__customers={**CUSTOMERS, "attributes": ["a"], "permissions": ["a"]}),
        "learns from attributes and from no permission: name each in one of them.",
    ),
    (
        changed(sources__customers={**CUSTOMERS, "permissions": ["a", "a"]}),
        "Got the permissions ['a'] more than once",
    ),
    (changed(plan__holdout=0), "`holdout` in [plan] must be at least 0.01; got 0."),
    (changed(chrun={}), "unknown section [chrun]; did you mean [churn]?"),
    (
        changed(sources__transaction={"uri": "x"}),
        "unknown section [sources.transaction]; did you mean [sources.transactions]?",
    ),
    (changed(zzzzz=1), "known here: `name`, `currency`, `timezone`"),
    (changed(sources__transactions__customerid="x"), "did you mean `customer_id`?"),
    (without(MINIMAL, "name"), "`name` is missing at the top of the file"),
    (without(MINIMAL, "sources"), "the section [sources] is missing"),
    (changed(sources={}), "the section [sources.transactions] is missing"),
    (
        changed(sources__transactions={"uri": "x", "customer_id": "a", "timestamp": "b"}),
        "`amount` is missing in [sources.transactions]. Money of the row",
    ),
    (changed(churn__horizon_days="soon"), "`horizon_days` in [churn] must be a whole number; got"),
    (changed(churn__horizon_days=1.5), "`horizon_days` in [churn] must be a whole number; got 1.5"),
    (changed(churn__horizon_days=True), "`horizon_days` in [churn] must be a whole number; got tr"),
    (changed(churn__horizon_days=0), "`horizon_days` in [churn] must be at least 1; got 0"),
    (changed(churn__horizon_days=731), "`horizon_days` in [churn] must be at most 730; got 731"),
    (changed(churn__rule="label-rule"), "`rule` in [churn] must be one of 'inactivity'"),
    (changed(value__margin=0), "`margin` in [value] must be more than 0"),
    (changed(value__margin=30), "`margin` in [value] must be at most 1"),
    (changed(value__margin=float("nan")), "`margin` in [value] must be a finite number; got nan"),
    (changed(value__margin="thirty"), "`margin` in [value] must be a number; got 'thirty'"),
    (changed(sources__transactions__uri=3), "must be text in quotes; got 3"),
    (changed(sources__transactions__uri=""), "must be at least 1 characters long; got ''"),
    (changed(sources__transactions__deduplicate="maybe"), "must be true or false; got 'maybe'"),
    (changed(sources__transactions__decimal=";"), "must be one of '.' or ','; got ';'"),
    (
        changed(sources__events={**EVENTS, "kinds": {"Reklamation": "complain"}}),
        "`kinds` in [sources.events]: got 'complain' for 'Reklamation'; expected one of complaint",
    ),
    (
        changed(sources__events={**EVENTS, "kinds": "complaint"}),
        "`kinds` in [sources.events] must be a table, as { a = \"b\" }; got 'complaint'",
    ),
    (
        changed(sources__events={**EVENTS, "kinds": {"Reklamation": 3}}),
        "`Reklamation` in [sources.events.kinds] must be text in quotes; got 3",
    ),
    (changed(churn=30), "`churn` must be a section of its own; got 30"),
    (
        changed(sources__customers={**CUSTOMERS, "attributes": "plan"}),
        "`attributes` in [sources.customers] must be a list",
    ),
    (
        changed(sources__customers={**CUSTOMERS, "attributes": ["plan", 3]}),
        "`attributes` in [sources.customers] must be text in quotes; got 3",
    ),
    (
        changed(sources__customers={**CUSTOMERS, "attributes": ["plan", "plan"]}),
        "more than once",
    ),
    (changed(name="My shop"), "`name`: got 'My shop'; expected small letters, digits"),
    (changed(name="a/b"), "`name`: got 'a/b'"),
    (changed(name="../up"), "`name`: got '../up'"),
    (changed(name="x" * 61), "at most 60"),
    (changed(currency="euro"), "`currency`: got 'euro'; expected three capital letters"),
    (changed(timezone="Europe/Berln"), "did you mean 'Europe/Berlin'?"),
    (changed(timezone="../../etc/passwd"), "no time zone is called '../../etc/passwd'"),
    (changed(timezone=""), "no time zone is called ''"),
    (
        changed(churn__rule="subscription"),
        "the section [sources.subscriptions] is missing; `subscription` reads it.",
    ),
    (
        changed(
            sources__subscriptions={"uri": "x", "customer_id": "a", "start": "b", "term": "never"}
        ),
        "`term` in [sources.subscriptions]: got 'never'; expected week, month",
    ),
    (changed(churn__rule="label"), 'rule = "label" in [churn] needs `label`'),
    (
        changed(churn__rule="label", sources__customers=without(CUSTOMERS, "label")),
        'rule = "label" in [churn] needs `label`',
    ),
    (changed(tracking__uri="./mlruns"), "expected the address of a database or a server"),
    (changed(tracking__uri="file:///tmp/mlruns"), "expected the address of a database or a server"),
    (changed(sources__transactions__uri="${DATA}/x.csv"), "the environment variable DATA is not s"),
    (changed(sources__transactions__uri="${DATA"), "opens a `${` that is not a variable"),
]


@pytest.mark.parametrize(("content", "said"), FAULTS, ids=[said[:40] for _, said in FAULTS])
def test_a_fault_is_worded_with_file_and_place(content: dict[str, Any], said: str):
    with pytest.raises(SettingsError) as refused:
        read(content)
    assert said in str(refused.value)
    assert str(refused.value).startswith("/shop/regulars.toml: ")


def test_all_faults_are_said_at_once():
    with pytest.raises(SettingsError) as refused:
        read(changed(curency="EUR", churn__horizon_days=0, value__margin=2))
    assert len(str(refused.value).splitlines()) == 3


KNOWN_CHURN = ("rule", "horizon_days", "threads")


@property_settings(deadline=None, derandomize=True)
@given(
    key=st.sampled_from(KNOWN_CHURN),
    place=st.integers(0, 20),
    letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz_"),
    edit=st.sampled_from(["drop", "double", "insert"]),
)
def test_one_typing_error_is_traced_to_the_key_that_was_meant(
    key: str, place: int, letter: str, edit: str
):
    at = place % len(key)
    typed = {
        "drop": key[:at] + key[at + 1 :],
        "double": key[:at] + key[at] + key[at:],
        "insert": key[:at] + letter + key[at:],
    }[edit]
    assume(typed not in KNOWN_CHURN)
    with pytest.raises(SettingsError, match=rf"unknown key `{typed}` in \[churn\]") as refused:
        read(changed(churn={typed: 1}))
    assert f"did you mean `{key}`?" in str(refused.value)


@property_settings(deadline=None, derandomize=True)
@given(
    key=st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=30),
    value=st.one_of(
        st.integers(), st.booleans(), st.text(max_size=5).filter(lambda t: "$" not in t)
    ),
)
def test_any_unknown_key_is_refused_by_name(key: str, value: Any):
    assume(key not in KNOWN_CHURN)
    with pytest.raises(SettingsError) as refused:
        read(changed(churn={key: value}))
    assert f"unknown key `{key}` in [churn]" in str(refused.value)


def test_variables_come_from_the_environment_or_their_default():
    content = changed(sources__transactions__uri="${DATA:-/none}/${FILE}")
    assert read(content, FILE="a.csv").sources.transactions.uri == "/none/a.csv"
    assert read(content, FILE="a.csv", DATA="/d").sources.transactions.uri == "/d/a.csv"
    # As in a shell, `:-` stands in for an empty variable too.
    assert read(content, FILE="a.csv", DATA="").sources.transactions.uri == "/none/a.csv"


def test_a_variable_may_hold_a_number():
    assert read(changed(churn__horizon_days="${DAYS:-30}")).churn.horizon_days == 30


def test_an_expanded_value_is_not_expanded_again():
    content = changed(sources__transactions__uri="${A}/x.csv")
    assert read(content, A="${B}", B="no").sources.transactions.uri == "/shop/${B}/x.csv"


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("data/*.parquet", "/shop/data/*.parquet"),
        ("/data/x.csv", "/data/x.csv"),
        ("postgresql://ann@db/shop", "postgresql://ann@db/shop"),
        ("spark://warehouse.lines", "spark://warehouse.lines"),
    ],
)
def test_relative_sources_start_at_the_settings_file(uri: str, absolute: str):
    assert read(changed(sources__transactions__uri=uri)).sources.transactions.uri == absolute


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        (None, "sqlite:////shop/.regulars/mlflow.db"),
        ("sqlite:///runs.db", "sqlite:////shop/runs.db"),
        ("sqlite:////var/runs.db", "sqlite:////var/runs.db"),
        ("postgresql://ann@db/mlflow", "postgresql://ann@db/mlflow"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("databricks", "databricks"),
    ],
)
def test_the_tracking_address_is_the_same_from_every_folder(uri: str | None, absolute: str):
    tracking = {} if uri is None else {"uri": uri}
    assert read(changed(tracking=tracking)).tracking.uri == absolute


def test_the_store_is_beside_the_settings_file():
    assert read(MINIMAL).store.path == "/shop/.regulars"


def test_the_label_rule_needs_no_log():
    settings = read(changed(sources={"customers": CUSTOMERS}, churn__rule="label"))
    assert settings.sources.transactions is None


def test_columns_to_keep_are_attributes_or_of_the_behaviour_table():
    customers = CUSTOMERS | {"attributes": ["end of contract"]}
    keep = ["end of contract", "days_since_last"]
    content = changed(sources={"customers": customers}, churn__rule="label", churn__keep=keep)
    assert read(content).churn.keep == tuple(keep)
    content["churn"]["keep"] = ["end of contrat"]
    with pytest.raises(SettingsError, match="did you mean 'end of contract'"):
        read(content)


@pytest.mark.parametrize("key", [{"churn__keep": ["age"]}, {"churn__base_rate": 0.1}])
def test_what_only_labels_read_is_refused_without_them(key):
    with pytest.raises(SettingsError, match='go with rule = "label" only'):
        read(changed(**key))


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        read(MINIMAL).name = "other"


def test_no_password_is_logged():
    content = changed(
        sources__transactions__uri="postgresql://ann:open-sesame@db:5432/shop",
        tracking__uri="postgresql+psycopg://bob:open-sesame@db/mlflow",
    )
    logged = loggable(read(content))
    assert "open-sesame" not in str(logged)
    assert logged["sources"]["transactions"]["uri"] == "postgresql://ann:***@db:5432/shop"


def test_a_file_is_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "regulars.toml").write_text(
        'name = "shop"\ncurrency = "EUR"\ntimezone = "UTC"\n[sources.transactions]\n'
        'uri = "x.csv"\ncustomer_id = "a"\ntimestamp = "b"\namount = "c"\n',
        encoding="utf-8-sig",
    )
    monkeypatch.chdir(tmp_path)
    settings = load(Path("regulars.toml"))
    assert settings.sources.transactions.uri == str(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no settings file"),
        (b"name = ", "is not TOML"),
        (b'name = "a"\nname = "b"', "is not TOML"),
        ('name = "é"'.encode("latin-1"), "is not UTF-8 text"),
        (b"", "`name` is missing at the top of the file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, said: str):
    file = tmp_path / "regulars.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_folder_is_no_settings_file(tmp_path: Path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, {})


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ({"where": "clvv > 3"}, "Did you mean 'clv'?"),
        ({"wher": "clv > 3"}, "unknown key `wher` in [segments.dear]; did you mean `where`?"),
        ({}, "`where` is missing in [segments.dear]"),
        ({"where": 3}, "`where` in [segments.dear] must be text in quotes; got 3."),
    ],
)
def test_a_segment_is_checked_when_loaded(segment: dict[str, Any], said: str):
    with pytest.raises(SettingsError) as error:
        read(changed(segments={"dear": segment}))
    assert said in str(error.value)


def test_segments_may_ask_for_attributes_of_the_customers():
    content = changed(
        segments={"city": {"where": "attribute_town = 'Bonn'"}},
        sources__customers={**CUSTOMERS, "attributes": ["town"]},
    )
    assert read(content).segments["city"].where == "attribute_town = 'Bonn'"
