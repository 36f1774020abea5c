"""The program that a host starts: ``python -I -S -u …/midplane/__main__.py [folder of packages]…``"""

import sys


def drop_compiled(package: str) -> None:
    """Removes the compiled files of this package, and what of it was imported."""
    import os

    for name in [name for name in sys.modules if name.partition(".")[0] == "midplane"]:
        del sys.modules[name]
    folder = os.path.join(package, "__pycache__")
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))


# Also a process that the plugin starts with `multiprocessing` runs this file, under another name.
if __name__ == "__main__":
    if not __package__:
        # Without `site` nothing is importable but the standard library; this file's own folder holds the package.
        sys.path[:0] = [__file__.rpartition("/midplane/")[0]]
    try:
        from midplane._start import main
    except (EOFError, TypeError, ValueError):
        # Python does not notice when a full disk cuts short what it compiles, and stumbles over it at every start.
        drop_compiled(__file__.rpartition("/")[0])
        from midplane._start import main

    sys.exit(main(sys.argv[1:]))
