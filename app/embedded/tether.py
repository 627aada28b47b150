"""Runs a program that dies with the process that asked for it, however that one ends.

A program of its own: `python tether.py PARENT_PID PROGRAM ARGUMENT…`. It asks the kernel for a kill
signal at the parent's death, then becomes the program. Only Linux offers this; elsewhere the
program just runs. Done here and not between fork and exec of the parent, which has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it died before the kernel knew
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
