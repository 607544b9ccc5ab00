# Loads jupyter_otel_kernel into every IPython kernel of this environment. It does
# nothing in plain `ipython`, nor where JUPYTER_OTEL_KERNEL=off or the package cannot be
# imported; it never prints and leaves no name behind (no docstring either: it would
# become the user's `__doc__`).


def _load_jupyter_otel_kernel() -> None:
    import os

    if os.environ.get("JUPYTER_OTEL_KERNEL", "").strip().lower() == "off":
        return
    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        shell.extension_manager.load_extension("jupyter_otel_kernel")


try:
    _load_jupyter_otel_kernel()
except Exception:
    pass
finally:
    del _load_jupyter_otel_kernel
