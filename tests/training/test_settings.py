import pytest
from pydantic import ValidationError

from training.settings import ChurnSettings, TrackingSettings, ValueSettings


def test_defaults_are_those_of_the_design():
    assert ChurnSettings() == ChurnSettings(rule="inactivity", horizon_days=90, threads=1)
    assert ValueSettings() == ValueSettings(
        clv_horizon_days=365, margin=0.30, annual_discount_rate=0.10
    )
    assert TrackingSettings().uri is None


@pytest.mark.parametrize(
    ("section", "key", "wrong"),
    [
        (ChurnSettings, "rule", "recency"),
        (ChurnSettings, "horizon_days", 0),
        (ChurnSettings, "horizon_days", 731),
        (ChurnSettings, "threads", 0),
        (ValueSettings, "clv_horizon_days", 0),
        (ValueSettings, "margin", 0.0),
        (ValueSettings, "margin", 30),
        (ValueSettings, "annual_discount_rate", -0.01),
        (ValueSettings, "annual_discount_rate", 10),
        (ValueSettings, "annual_discount_rate", float("nan")),
        (TrackingSettings, "url", "sqlite:///x.db"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(section, key, wrong):
    with pytest.raises(ValidationError, match=key):
        section(**{key: wrong})
