"""Output passed on from the control connection to a pipe within the kernel, as Linux can: no copy, half the time.

Part of the client, but not of what every command needs: imported once a long frame has come.
"""

import posix
import select

from rdo.protocol import Decoder


def pass_on(source: int, target: int, decoder: Decoder) -> bool:
    """Pass the rest of the frame that is under way from a socket to a pipe.

    False where that cannot be: no pipe, no Linux, a reader that is gone, a socket that broke. What is left then, or
    at the end of the socket, is for the caller, who meets the reason in the ordinary way.
    """
    while decoder.left:
        try:
            count = posix.splice(source, target, decoder.left)
        except BlockingIOError:  # somebody made the caller's pipe non-blocking
            select.select((), (target,), ())
        except (AttributeError, OSError):
            return False
        else:
            decoder.left -= count
            if count == 0:
                break
    return True
