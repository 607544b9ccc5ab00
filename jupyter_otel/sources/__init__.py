"""Where events come from: each source turns what a host does into events of a schema.

A source is handed an `event.Intake` and nothing else of the pipeline. It never
harms its host: the one broad ``except`` of a hook stands at its edge.
"""
