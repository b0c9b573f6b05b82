"""What any program could use: files, text, threads. Knows nothing of targets or commands."""
