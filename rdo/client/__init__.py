"""The `rdo` that a person types: it sends one request to the control master, and is the terminal of one command.

It is what starts where there is no client in C, and loads nothing that takes long: `socket`, `signal` and `threading`
come with `enum` and so many names that they would take as long as half a start of Python, so it uses what these are
made of (`_socket`, `_signal`, `_thread`). The benchmark `warm-fallback` watches over that.
"""
