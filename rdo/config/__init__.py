"""Config files: the keys, their types and meanings, the layers, and all errors in them."""
