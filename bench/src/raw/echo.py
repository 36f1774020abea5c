# Echoes frames, a length of four bytes and so many more, on its standard input, which is a socket. No more than any peer
# in Python has to do.
import os


def main():
    while data := os.read(0, 65536):
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "little"):
            data += os.read(0, 65536)
        os.write(0, data)


main()
