"""`python -m lib_extension`: recipes on the command line."""

import sys

from lib_extension.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
