"""Puts the objects of one piece of work into a bucket of fake-gcs-server.

    python seed_gcs.py URL BUCKET WORK DIVISOR

The bytes are random, the same each time. Counts or sizes are divided by DIVISOR.
Prints sizes and names of the objects.
"""

import http.client
import random
import sys
from urllib.parse import quote, urlsplit

KIB, MIB, GIB = 1024, 1024**2, 1024**3

BLOCK = random.Random("mlfetch bench").randbytes(MIB)


def small(divisor):
    """10,000 files of 4 KiB in 100 directories."""
    return {f"d{at // 100:02}/f{at:05}.bin": 4 * KIB for at in range(10_000 // divisor)}


def big(divisor):
    """One object of 1 GiB."""
    return {"weights.bin": GIB // divisor}


def body(size, start):
    """One block, over and over, from a start of its own."""
    at = start % MIB
    while size:
        piece = BLOCK[at : at + size]
        yield piece
        size -= len(piece)
        at = (at + len(piece)) % MIB


def main():
    url, bucket, work, divisor = sys.argv[1:]
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    files = {"small": small, "big": big}[work](int(divisor))
    for at, (name, size) in enumerate(files.items()):
        target = f"/upload/storage/v1/b/{quote(bucket, safe='')}/o?uploadType=media&name="
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        key = quote(f"bench/{work}/{name}", safe="")
        connection.request("POST", target + key, body(size, at * 4099), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{name} was answered with {answer.status}: {text!r}")
    print("\n".join(f"{size} {name}" for name, size in files.items()))


if __name__ == "__main__":
    main()
