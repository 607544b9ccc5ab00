"""Which trace an event belongs to: ids, sampling, W3C propagation.

The samplers, id generators and propagators are the SDK's. Spans are written in
``mapping/``; nothing here knows of events.
"""
