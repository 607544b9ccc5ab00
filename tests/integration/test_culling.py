"""Telemetry keeps nothing alive: idle kernels and servers are culled on time."""

import time

CULLING = (
    "--MappingKernelManager.cull_idle_timeout=2",
    "--MappingKernelManager.cull_interval=1",
    "--MappingKernelManager.cull_connected=True",
    "--ServerApp.shutdown_no_activity_timeout=3",
)
# jupyter_server looks once a minute whether it is idle; here it looks each second.
IMPATIENT = """
from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback

class Impatient(ServerApp):
    def init_shutdown_no_activity(self):
        PeriodicCallback(self.shutdown_no_activity, 1000).start()

Impatient.launch_instance()
"""


def test_an_idle_kernel_and_then_its_server_are_culled_while_status_is_asked(
    start_server, connect
):
    server = start_server(
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        *CULLING,
        program=("-c", IMPATIENT),
    )
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    deadline = time.monotonic() + 40
    while server.process.poll() is None and time.monotonic() < deadline:
        server.answers("otel/v1/status")
        time.sleep(0.1)

    assert server.process.poll() == 0, "asking for the status kept the server alive"
    assert f"Culling 'idle' kernel 'python3' ({kernel_id})" in server.log
    shut_down = {
        "jupyter.event.kernel_id": kernel_id,
        "jupyter.event.action": "shutdown",
    }
    assert len(server.logs("jupyter_server.kernel_actions", **shut_down)) == 1


# Each of them a dataset of its own: the same one would be reported once.
REPORTING = """
import asyncio
from itertools import count
from jupyter_otel_kernel import record_dataset

async def report():
    for number in count():
        record_dataset(f"s3://bucket/{number}")
        await asyncio.sleep(0.1)

task = asyncio.create_task(report())
"""


def test_a_kernel_whose_background_task_reports_events_is_culled_on_time(
    start_server, connect, wait_until
):
    server = start_server(
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        "--OtelSources.datasets=True",
        *CULLING[:3],
    )
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run(REPORTING)

    culled = f"Culling 'idle' kernel 'python3' ({kernel_id})"
    wait_until(lambda: culled in server.log, what="the end of the idle kernel")

    reported = server.logs("jupyter_otel.dataset_access")
    last_ns = max(int(record.raw["timeUnixNano"]) for record in reported)
    (started,) = server.logs(
        "jupyter_otel.execution", **{"jupyter.event.phase": "finished"}
    )
    assert last_ns - int(started.raw["timeUnixNano"]) > 1e9, "it did not report"
    server.end()


EXPORTING = """
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

reader = PeriodicExportingMetricReader(OTLPMetricExporter(), 200)
MeterProvider([reader]).get_meter("mine").create_counter("clicks").add(1)
"""


def test_a_kernel_whose_own_metrics_go_through_the_relay_is_culled_on_time(
    start_server, connect, wait_until
):
    server = start_server(
        "--OtelPolicy.level=operational",
        "--OtelConsent.mode=mandatory",
        "--OtelSources.otlp_relay=True",
        *CULLING[:3],
    )
    kernel_id = server.start_kernel()
    connect(server, kernel_id).send(EXPORTING)

    def taken():
        return server.status()["signals"]["metrics"]["accepted"]

    culled = f"Culling 'idle' kernel 'python3' ({kernel_id})"
    wait_until(taken, lambda count: count >= 3, "metrics")
    wait_until(lambda: culled in server.log, what="the end of the idle kernel")
    server.end()
