"""`driver = "docker"`: a container, over the API of its engine."""
