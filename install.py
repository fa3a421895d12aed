"""How is Atelier set up and tried? By `python3 install.py demo`, `test` or `worker`; called bare, as the WebUI does, it does nothing.

Nothing is ever installed into the Python that runs this file. It is written so that old Pythons can read it far enough to say so.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "Atelier needs Python 3.10 or later, and this is Python %d.%d (%s). Run it with a newer one, such as: python3.11 install.py demo"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )


def main(arguments):
    # type: (list[str]) -> int
    if not arguments:
        # The WebUI calls it so at every start and shows what it prints: only a person at a terminal wants the hint.
        if sys.stdout.isatty():
            print("Atelier: python3 install.py demo | test | worker [--update | --remove | --torch-index URL]")
        return 0
    from lib_extension.setup.commands import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
