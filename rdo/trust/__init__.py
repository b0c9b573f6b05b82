"""What a repository asks for, and whether the user has allowed it."""
