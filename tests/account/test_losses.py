"""Why segments were lost: a policer, a full queue, or chance."""

# covers: account/evidence, account/losses, account/transfer

from __future__ import annotations

import pytest
from frames import play
from ladders import AT_CLIENT
from transfers import chance, changing, ladder, policer, queue

from trioecho.account import Account, Accounts, losses, notes, transfer
from trioecho.account.evidence import higher
from trioecho.account.losses import Lost


def account_of(text: str) -> Account:
    accounts = Accounts()
    accounts.see(play(text))
    (account,) = accounts.end()
    return account


def kinds(text: str) -> list[str]:
    return [one.kind for one in account_of(text).losses]


@pytest.mark.parametrize("wire", [False, True], ids=["tap", "wire"])
@pytest.mark.parametrize(("rate", "burst"), [(50_000, 3_000), (100_000, 10_000)])
def test_a_policer_with_its_rate_and_its_bucket(rate: int, burst: int, *, wire: bool) -> None:
    (found,) = account_of(ladder(policer(rate, burst), 120, wire=wire)).losses
    assert (found.kind, found.sender, found.at_least) == ("policed", "client", False)
    assert found.rate == pytest.approx(8 * rate, rel=0.1)
    assert found.burst == pytest.approx(burst, rel=0.2)


@pytest.mark.parametrize("wire", [False, True], ids=["tap", "wire"])
@pytest.mark.parametrize("rate", [100_000, 400_000])
def test_a_bucket_that_is_full_again_each_time_tells_no_rate(rate: int, *, wire: bool) -> None:
    (found,) = account_of(ladder(policer(rate, 800), 120, wire=wire)).losses
    assert (found.kind, found.at_least) == ("policed", True)
    assert found.rate < 8 * rate
    assert found.burst == pytest.approx(800, rel=0.2)
    assert found.place == "a policer"
    assert "rate" not in found.advice


@pytest.mark.parametrize("wire", [False, True], ids=["tap", "wire"])
@pytest.mark.parametrize(("rate", "places"), [(50_000, 5), (100_000, 20), (200_000, 10)])
def test_a_queue_that_is_full(rate: int, places: int, *, wire: bool) -> None:
    assert kinds(ladder(queue(rate, places), 150, wire=wire)) == ["overflow"]


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("seed", range(10))
def test_a_bad_link_is_no_policer(share: float, seed: int) -> None:
    found = kinds(ladder(chance(share, seed), 150))
    assert found in (["random"], [])
    if seed < 3:
        assert found


def test_each_loss_is_counted_once() -> None:
    text = ladder(policer(50_000, 3_000), 60, wire=True)
    account = account_of(text)
    assert account.missing == text.count(" lost") == sum(one.count for one in account.losses)


@pytest.mark.parametrize(("until", "kind"), [(3, "random"), (8, "policed")])
def test_what_most_were_lost_for_decides_on_a_policer(until: float, kind: str) -> None:
    """A path has a policer or has none."""
    path = changing(policer(50_000, 3_000), until, chance(0.05, 1))
    assert kinds(ladder(path, 300, pause=2)) == [kind]


def test_pauses_do_not_lower_the_rate() -> None:
    (found,) = account_of(ladder(policer(50_000, 3_000), 160, pause=5)).losses
    assert found.kind == "policed"
    assert found.rate == pytest.approx(400_000, rel=0.1)


def test_a_long_transfer_is_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "MOST", 400)
    text = ladder(policer(50_000, 3_000), 120, wire=True)
    account = account_of(text)
    assert account.missing == text.count(" lost")
    (found,) = account.losses
    assert found.kind == "policed"
    assert 0.8 * account.missing < found.count <= account.missing


def test_what_has_arrived_is_forgotten_until_something_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "KEPT", 50)
    monkeypatch.setattr(notes, "KEPT", 50)
    text = ladder(policer(50_000, 40_000), 120)
    account = account_of(text)
    (found,) = account.losses
    assert found.kind == "policed"
    assert found.count == account.missing
    assert found.rate == pytest.approx(400_000, rel=0.1)


def test_a_full_segment_without_timestamps_is_one() -> None:
    text = """
        +0    > .  1:113(112) ack 1
        +.3   > .  1:113(112) ack 1
        +.02  < .  1:1(0) ack 113
    """
    assert account_of(AT_CLIENT + text).missing == 1


def test_a_segment_is_one_whatever_its_size_where_no_mss_was_seen() -> None:
    text = "+0 > P. 1:649(648) ack 1\n" + "+.5 > P. 1:649(648) ack 1\n" * 5
    assert account_of(text).missing == 5


def test_two_losses_tell_nothing() -> None:
    text = ladder(policer(50_000, 2_000), 4)
    assert 0 < account_of(text).missing < 3
    assert kinds(text) == []


def test_what_was_sent_again_for_nothing_was_not_lost() -> None:
    again = """
        +0    > .  1:101(100) ack 1
        +.3   > .  1:101(100) ack 1
        +.02  < .  1:1(0) ack 101
    """
    dsack = "+.01  < .  1:1(0) ack 101 <sack 1:101>"
    assert account_of(AT_CLIENT + again).missing == 1
    assert account_of(AT_CLIENT + again + dsack).missing == 0


def test_offload_may_merge_segments_of_which_one_is_lost() -> None:
    text = """
        +0    > .  1:561(560) ack 1
        +.02  < .  1:1(0) ack 113
        +0    < .  1:1(0) ack 113 <sack 225:561>
        +.01  > .  113:225(112) ack 1
        +.02  < .  1:1(0) ack 561
    """
    assert account_of(AT_CLIENT + text).missing == 1


def test_higher() -> None:
    assert higher([3, 4], [1, 2]) == 1
    assert higher([1, 4], [2, 3]) == 0.5
    assert higher([2], [1, 2, 3, 3]) == 0.375
    assert higher([], [1]) == 0.5


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            Lost("policed", "client", 12, 1_498_000, 20_300),
            "12 losses of the client's segments: a policer at 1.5 Mbit/s with a bucket of 20 kB",
        ),
        (
            Lost("policed", "server", 1_200, 999_500_000, 512),
            "1,200 losses of the server's segments: a policer at 1.0 Gbit/s with a bucket of 510 B",
        ),
        (
            Lost("policed", "client", 12, 470_000, 7_500, at_least=True),
            "12 losses of the client's segments: a policer with a bucket of 7.5 kB, at 470 kbit/s "
            "at least",
        ),
        (Lost("overflow", "client", 3), "3 losses of the client's segments: a full queue"),
    ],
)
def test_in_words(one: Lost, text: str) -> None:
    assert one.text == text
    assert one.advice.endswith(".")
