"""``jupyter otel …``: one file a command, and what several of them share.

Commands only use what a program of anybody's could use: settings, `Telemetry`, the
catalog, the files of the embedded default.
"""
