"""What an address asks a plan for, and the slider's ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.failures import Failure
from serving.workbench import plan
from serving.workbench.plan import Asked, read


def test_an_empty_value_is_no_value():
    assert read([("budget", " "), ("page", "")]) == Asked()


def test_a_form_without_a_chosen_action_is_no_form_with_all():
    assert read([]).actions is None
    assert read([("action", "")]).actions == ()
    assert read([("action", ""), ("action", "call")]).actions == ("call",)


@given(
    st.one_of(st.none(), st.integers(0, 10**9).map(lambda cents: cents / 100)),
    st.one_of(st.none(), st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(tuple)),
)
def test_what_was_asked_is_read_again_from_its_address(budget, actions):
    asked = Asked(budget, actions)
    assert read(asked.pairs()) == asked


@pytest.mark.parametrize(
    "pair", [("budget", "nan"), ("budget", "inf"), ("budget", "-1"), ("page", "0"), ("who", "c1")]
)
def test_a_value_that_cannot_be_is_refused_and_not_repeated(pair):
    with pytest.raises(Failure) as refused:
        read([pair])
    assert refused.value.status == 400 and pair[1] not in refused.value.message


@pytest.mark.parametrize("knee", [0.0, 0.4, 3.0, 99.5, 3608.0, 1e7])
@pytest.mark.parametrize("budget", [None, 0.0, 50.0, 1e6])
def test_the_slider_holds_the_budget_and_the_knee_in_whole_steps(knee, budget):
    found = plan._slider(budget, knee)
    assert found["most"] >= max(knee, budget or 0.0)
    assert found["most"] % found["step"] == 0
    assert 0 <= found["value"] <= found["most"]
    assert found["step"] <= max(1.0, found["most"] / 50)
