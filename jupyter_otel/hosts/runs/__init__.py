"""Programs that run notebooks without a server: nbclient, papermill, nbconvert."""
