"""What a Prometheus that scrapes a real server reads of us."""

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

COLLECTING = ("--OtelPolicy.level=audit", "--OtelConsent.mode=mandatory")
BUS_ALONE = "--OtelSources.http_requests=False"


def scrape(server):
    """Return our samples on the server's own page."""
    request = urllib.request.Request(  # noqa: S310 - the URL is the server's own
        server.url + "metrics", headers={"Authorization": "token integration-test"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("jupyter_otel_")
    }


def test_a_servers_own_page_has_the_books(start_server, wait_until):
    server = start_server(*COLLECTING, BUS_ALONE)
    server.start_kernel()
    wait_until(lambda: server.status()["signals"]["logs"]["sent"] == 1)

    page = scrape(server)

    assert page["jupyter_otel_records_accepted_total", "logs"] == 1
    assert page["jupyter_otel_records_sent_total", "logs"] == 1
    assert page["jupyter_otel_spool_size_bytes",] == 0
    assert not [name for name, *_ in page if name == "jupyter_otel_last_error"]


def test_a_receiver_that_is_away_is_seen_by_its_kind_of_error(
    start_server, free_port, wait_until
):
    server = start_server(
        *COLLECTING,
        BUS_ALONE,
        f"--OtelExport.endpoint=http://127.0.0.1:{free_port}",
    )
    server.start_kernel()

    page = wait_until(
        lambda: scrape(server),
        lambda page: ("jupyter_otel_last_error", "Connection refused", "logs") in page,
    )

    assert page["jupyter_otel_records_pending", "logs"] == 1
    assert page["jupyter_otel_spool_size_bytes",] > 0


def test_at_level_none_the_page_says_nothing_of_us(start_server):
    assert scrape(start_server("--OtelPolicy.level=none")) == {}
