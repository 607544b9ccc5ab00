"""Data that cells of a real kernel open, as a real server exports it."""

import json

import pytest

DATASETS = (
    "--OtelPolicy.level=audit",
    "--OtelConsent.mode=mandatory",
    "--OtelSources.datasets=True",
)
ACCESS = "jupyter_otel.dataset_access"
OPENED = "jupyter_otel.document_opened"
EVENT = "jupyter.event."


@pytest.fixture(scope="module")
def server(start_server):
    """Return a server that asks its kernels for the data they open."""
    return start_server(*DATASETS)


@pytest.fixture
def client(server, connect):
    kernel_id = server.start_kernel()
    yield connect(server, kernel_id)
    server.request("DELETE", f"api/kernels/{kernel_id}")


def accesses(server, wait_until, count, **attributes):
    return wait_until(
        lambda: server.logs(ACCESS, **attributes),
        lambda records: len(records) >= count,
        f"{count} dataset accesses",
    )


def facts(record):
    """Return the payload of a record."""
    return {
        name.removeprefix(EVENT): value
        for name, value in record.attributes.items()
        if name.startswith(EVENT)
    }


def test_a_dataset_is_a_log_record_of_its_execution_without_credentials(
    server, client, wait_until
):
    client.run("open('a.csv', 'w').write('a,b')")
    path = str(server.home / "work" / "a.csv")
    [written] = accesses(server, wait_until, 1, **{EVENT + "uri": path})
    code = (
        "from jupyter_otel_kernel import record_dataset\n"
        "for _ in range(3):\n"
        "    record_dataset('s3://ann:hunter2@bucket/a.zarr?sig=hunter2#hunter2')\n"
    )
    client.run(code)

    [read] = accesses(server, wait_until, 1, **{EVENT + "operation": "read"})
    assert facts(written) == {
        "operation": "write",
        "status": "ok",
        "uri": path,
        "library": "python",
        "function": "open",
        "format": "csv",
    }
    assert facts(read) == {
        "operation": "read",
        "status": "ok",
        "uri": "s3://bucket/a.zarr",
        "format": "zarr",
    }
    executions = server.executions(client.kernel_id, count=2)
    for access, execution in zip((written, read), executions, strict=True):
        assert access.raw["traceId"] == execution.raw["traceId"]
        assert access.raw["spanId"] == execution.raw["spanId"]
        assert access.attributes["jupyter.source"] == "kernel"
        assert access.attributes["jupyter.trust"] == "client"
    assert "hunter2" not in json.dumps([record.raw for record in server.logs(ACCESS)])
