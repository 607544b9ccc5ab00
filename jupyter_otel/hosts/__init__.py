"""Programs that carry the pipeline: each wires sources, settings and shutdown."""
