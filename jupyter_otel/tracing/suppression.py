"""Keeps our own requests out of the traces of whoever instruments HTTP clients."""


def suppress_instrumentation() -> None:
    """Have nothing that this thread does from now on traced by an instrumentation.

    Or each request that exports spans would make spans to be exported.
    """
    # On a sender's thread: a start must not wait for the import.
    from opentelemetry import context  # noqa: PLC0415

    # Three generations of instrumentations look at three keys; the API names them
    # only for its own kind.
    keys = [
        "suppress_instrumentation",
        getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", ""),
        getattr(context, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", ""),
    ]
    for key in filter(None, keys):
        context.attach(context.set_value(key, True))
