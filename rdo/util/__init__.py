"""General-purpose code: files, text, processes, threads. Knows nothing of targets or commands."""
