"""The program that a host starts: ``python -I -S -u …/midplane/__main__.py [folder of packages]…``"""

import sys

# Also a process that the plugin starts with `multiprocessing` runs this file, under another name.
if __name__ == "__main__":
    if not __package__:
        # Without `site` nothing is importable but the standard library; this file's own folder holds the package.
        sys.path[:0] = [__file__.rpartition("/midplane/")[0]]
    from midplane._start import main

    sys.exit(main(sys.argv[1:]))
