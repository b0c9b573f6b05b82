"""Config files: found keys, their types and meaning, the layers, and every complaint about them."""
