from jupyter_otel.sources.sign_in_counts import (
    MAX_ADDRESSES,
    TOLD_SINGLY,
    Addresses,
    FailureCounts,
)


def test_few_failures_are_told_singly_and_the_rest_once_with_its_count():
    counts = FailureCounts()

    singly = [counts.add("a") for _ in range(1000)]
    counts.add("b")

    assert singly == [True] * TOLD_SINGLY + [False] * (1000 - TOLD_SINGLY)
    assert list(counts.take()) == [("a", 1000 - TOLD_SINGLY)]


def test_what_was_told_is_not_told_again_and_a_new_period_begins():
    counts = FailureCounts()
    for _ in range(TOLD_SINGLY + 1):
        counts.add("a")

    told = list(counts.take())
    within = counts.add("a")
    counts.begin_period()

    assert (told, within) == ([("a", 1)], False)
    assert counts.add("a")
    assert list(counts.take()) == [("a", 1)]


def test_some_of_what_was_counted_may_be_told_before_the_rest():
    counts = FailureCounts()
    for _ in range(TOLD_SINGLY + 1):
        counts.add("a")
        counts.add("b")

    assert list(counts.take(lambda kind: kind == "b")) == [("b", 1)]
    assert list(counts.take()) == [("a", 1)]


def test_a_thousand_addresses_are_named_within_a_period():
    addresses = Addresses()
    many = [str(number) for number in range(MAX_ADDRESSES + 10)]

    named = [addresses.failed(address) for address in many]

    assert named == many[:MAX_ADDRESSES] + [""] * 10
    assert addresses.failed("7") == "7"
    addresses.begin_period()
    assert addresses.failed(many[-1]) == many[-1]


def test_a_success_is_news_once_after_failures():
    addresses = Addresses()

    before = addresses.succeeded("a")
    addresses.failed("a")
    addresses.failed("b")
    addresses.begin_period()

    assert (before, addresses.succeeded("a"), addresses.succeeded("a")) == (
        False,
        True,
        False,
    )


def test_a_success_is_news_once_within_a_period_and_otherwise_later():
    addresses = Addresses()
    news = []
    for _ in range(3):
        addresses.failed("a")
        news.append(addresses.succeeded("a"))
    addresses.begin_period()

    assert (news, addresses.succeeded("a")) == ([True, False, False], True)
    addresses.failed("a")
    addresses.forget("a")
    addresses.begin_period()
    assert not addresses.succeeded("a")


def test_of_the_addresses_that_failed_the_latest_are_remembered():
    addresses = Addresses()
    for number in range(MAX_ADDRESSES):
        addresses.failed(str(number))
    addresses.failed("0")
    addresses.failed("another")

    news = [addresses.succeeded(address) for address in ("0", "1", "2", "another")]
    assert news == [True, False, True, True]
