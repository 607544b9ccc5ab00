import pytest

from jupyter_otel.measures import error_class


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("HTTP 503 from http://collector.lan:4318/v1/logs", "HTTP 503"),
        ("HTTP 404 from http://c/v1/logs: nothing listens at this path", "HTTP 404"),
        ("gRPC UNAVAILABLE from http://c:4317", "gRPC UNAVAILABLE"),
        (
            "no answer from http://c:4318/v1/logs (Connection refused): check that",
            "Connection refused",
        ),
        ("OSError writing /home/alice/logs.jsonl: check that", "OSError"),
        ("1 record is dropped: one request with that is larger than c takes", "other"),
        ("alice's secret", "other"),
    ],
)
def test_of_an_error_only_its_kind_is_told(error, name):
    assert error_class(error) == name
