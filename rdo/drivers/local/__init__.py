"""`driver = "local"`: this machine as the target."""
