import os

from hypothesis import settings

# With CI set every run draws the same examples: a change is judged by itself, not by
# luck. Elsewhere each run looks somewhere new.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
