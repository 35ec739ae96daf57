"""What was learnt is remembered, within bounds."""

from __future__ import annotations

from monitor.match.memo import LONGEST_REMEMBERED, MOST_REMEMBERED, Memo


def test_what_was_seen_is_not_learnt_again() -> None:
    """But for what is too long to come twice."""
    learnt: list[str] = []

    def learn(raw: str) -> int:
        learnt.append(raw)
        return len(raw)

    memo = Memo(learn)
    short, long = "x" * LONGEST_REMEMBERED, "x" * (LONGEST_REMEMBERED + 1)
    assert [memo[raw] for raw in (short, short, long, long)] == [48, 48, 49, 49]
    assert learnt == [short, long, long]


def test_of_too_many_the_older_half_is_forgotten() -> None:
    """All are answered, whatever is remembered; the newest are."""
    memo = Memo(int)
    for number in range(MOST_REMEMBERED + 10):
        assert memo[str(number)] == number
    assert len(memo) == MOST_REMEMBERED // 2 + 10
    assert "0" not in memo
    assert memo["0"] == 0
    assert str(MOST_REMEMBERED // 2) in memo
