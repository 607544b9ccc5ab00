"""A server whose kernels run behind another one, reached as a gateway."""

import json

PRINT_METADATA = (
    "import json; print(json.dumps(get_ipython().parent_header['metadata']))"
)


def test_executions_behind_a_gateway_are_captured_once(start_server, connect):
    gateway = start_server(extensions={"jupyter_otel": False})
    server = start_server(
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        f"--GatewayClient.url={gateway.url.rstrip('/')}",
        "--GatewayClient.auth_token=integration-test",
    )
    kernel_id = server.start_kernel()
    client = connect(server, kernel_id, None)

    metadata = json.loads(client.run(PRINT_METADATA, {"tracestate": "a=b"}))
    client.await_reply(client.send("{}['a']"))

    first, second = server.executions(kernel_id, count=2)
    assert first.attributes["jupyter.event.status"] == "ok"
    assert first.attributes["jupyter.event.output_count"] == 1
    assert second.attributes["jupyter.event.error_name"] == "KeyError"
    assert len(server.executions(kernel_id, "started", count=2)) == 2
    trace = f"00-{first.raw['traceId']}-{first.raw['spanId']}-01"
    assert metadata == {"traceparent": trace}
    assert server.end() == 0
