"""The ways in which a collector can misbehave over gRPC, each with a name.

As ``faults.py`` has them for HTTP: what the first calls meet; after them all is well.
Needs the extra ``jupyter-otel[grpc]``.
"""

from collections.abc import Mapping, Sequence

from jupyter_otel.testing.grpc_receiver import GrpcAnswer

GRPC_FAULTS: Mapping[str, Sequence[GrpcAnswer]] = {
    "UNAVAILABLE": [GrpcAnswer("UNAVAILABLE")] * 2,
    "RESOURCE_EXHAUSTED": [GrpcAnswer("RESOURCE_EXHAUSTED")] * 2,
    "RESOURCE_EXHAUSTED, RetryInfo 1 s": [GrpcAnswer("RESOURCE_EXHAUSTED", 1.0)] * 2,
    "INVALID_ARGUMENT": [GrpcAnswer("INVALID_ARGUMENT")] * 2,
    "UNAUTHENTICATED": [GrpcAnswer("UNAUTHENTICATED")] * 2,
    "DEADLINE_EXCEEDED": [GrpcAnswer("DEADLINE_EXCEEDED")] * 2,
}
"""What the first calls are answered, by the fault's name."""
