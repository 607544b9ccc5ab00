"""Seams for tests, ours and other people's: real receivers on loopback that can fail.

::

    http_receiver.HttpReceiver      OTLP/HTTP, records requests, answers as scripted
    faults.FAULTS                   such scripts: how collectors misbehave, by name
    grpc_receiver.GrpcReceiver      the same over gRPC
    grpc_faults.GRPC_FAULTS         the same scripts for it
    certificates                    what receivers that speak TLS show
    proxy.Proxy                     a forward proxy that hands on, or refuses
    recording.RecordingDestination  takes requests in the process, without a network
    clock.FakeClock                 time that moves only when told
"""
