"""``jupyter otel init``: print a commented, working configuration for one place."""

import argparse
import sys

from traitlets.config import Config

from jupyter_otel.config import classes

_SERVER = """\
# jupyter_server_config.py (or jupyter_otel_config.py beside it): what is collected of a
# Jupyter Server, and where it goes. `jupyter otel doctor` checks it; `jupyter otel
# preview` shows what leaves.
c = get_config()  # noqa: F821

# How much: none, operational, usage or audit. Out of the box it is none.
c.OtelPolicy.level = "usage"

# Who is asked. mandatory: nobody, so YOU MUST TELL YOUR USERS what is collected. Out of
# the box it is opt_in: whatever a person causes, kernel starts included, is dropped
# until they say yes on the server's page otel, or with `jupyter otel consent grant`.
c.OtelConsent.mode = "mandatory"
# What they are told there besides the policy, and whom they may ask.
# c.OtelConsent.notice = "We record how this server is used, to plan its size."
# c.OtelConsent.contact = "privacy@example.org"

# Where to: an OpenTelemetry Collector. Without an endpoint records go to JSON lines in
# Jupyter's data directory: `jupyter otel events`, `jupyter otel traces` read them.
# c.OtelExport.endpoint = "http://localhost:4318"
# c.OtelExport.headers_file = "/etc/jupyter/otel_headers"  # authorization: Bearer …

# Every setting, as it is out of the box:
"""

_COLLECTOR = """\
# otelcol.yaml: a Collector for jupyter-otel.
# Start it: otelcol-contrib --config otelcol.yaml
# Then, in jupyter_server_config.py: c.OtelExport.endpoint = "http://localhost:4318"
receivers:
  otlp:
    protocols:
      http:
        endpoint: localhost:4318   # OtelExport.protocol http/protobuf or http/json
      grpc:
        endpoint: localhost:4317   # OtelExport.protocol grpc

processors:
  memory_limiter:                  # first: refuse what would not fit; we send it again
    check_interval: 1s
    limit_mib: 512
  batch: {}                        # last: fewer, larger requests

exporters:
  debug:                           # prints each record; replace it with your back end
    verbosity: detailed
  # otlphttp:
  #   endpoint: https://otlp.example.org

service:
  pipelines:
    logs:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [debug]
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [debug]
    metrics:                       # of OtelMetrics.enabled and OtelSources.otlp_relay
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [debug]
"""

_KERNEL = """\
# kernel.env: what a Python kernel needs so that spans of its cells, and of your own
# code in them, leave without a Jupyter Server: papermill, nbconvert, jupyter console.
# Kernels that a server with jupyter-otel starts need only step 1: it sets the rest.
#
# 1. In the kernel's own environment, with its own python:
#      python -m pip install 'jupyter-otel-kernel[spans]'
#    (in a checkout of jupyter-otel './kernel[spans]'; mode context needs no [spans]).
#    It brings etc/ipython/startup/50-jupyter-otel-kernel.py below sys.prefix, which
#    each IPython kernel of that environment runs. %otel in a cell shows the state.
# 2. This file, wherever the kernel is started:
#      set -a; . ./kernel.env; set +a; papermill in.ipynb out.ipynb
#    or docker run --env-file, EnvironmentFile= of systemd, "env" in a kernel.json.

# off: nothing. context: your own OpenTelemetry setup gets its parents. spans: each cell
# is a span, and code without a setup is lent one. Unset: context.
JUPYTER_OTEL_KERNEL=spans

# Where spans go: any OTLP/HTTP receiver; /v1/traces is added.
OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
# OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20secret

# What the records call this kernel. Unset: jupyter-kernel.
# OTEL_SERVICE_NAME=nightly-report

# The trace that cells belong to (W3C), where whoever starts the kernel has one.
# TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
"""


_TEXTS = {"kernel": _KERNEL, "collector": _COLLECTOR}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "place",
        choices=("server", "kernel", "collector"),
        metavar="server|kernel|collector",
        help="for what",
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print it."""
    del config  # what is printed is a beginning, not what is
    text = _server() if arguments.place == "server" else _TEXTS[arguments.place]
    sys.stdout.write(text)
    return 0


def _server() -> str:
    sections = (kind.class_config_section() for kind in classes())
    return f"{_SERVER}\n{''.join(sections).rstrip()}\n"
