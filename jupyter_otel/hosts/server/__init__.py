"""Jupyter Server's extension: what starts, feeds, shows and stops collection there."""
