"""Stage and tier of the past are those that a full scoring gives."""

from __future__ import annotations

from serving.groups.kinds import of_scores, of_subscribers


def test_kinds_are_those_of_the_score_table(people, scored) -> None:
    frame = people(300)
    frame.loc[::29, ["days_since_last", "T", "gap_mean", "gap_last", "first_order"]] = None
    rows, _ = scored(frame)
    told = of_scores(frame, rows[["clv"]].astype("float64"))
    for name in ("stage", "tier"):
        expected = rows[name].astype(object).where(rows[name].notna(), "none")
        assert told[name].tolist() == expected.tolist()


def test_kinds_of_subscribers_are_those_of_their_score_table(
    subscribers, retention, scored
) -> None:
    rows, _ = scored(subscribers, scorer=retention)
    predicted = retention.predict(subscribers)
    told = of_subscribers(subscribers, predicted)
    for name in ("stage", "tier"):
        expected = rows[name].astype(object).where(rows[name].notna(), "none")
        assert told[name].tolist() == expected.tolist()
    assert told["stage"].nunique() > 3
