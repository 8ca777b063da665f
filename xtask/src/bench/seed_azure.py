"""Puts the blobs of one piece of work into a container that everybody may read.

    python seed_azure.py CONTAINER WORK DIVISOR

The account comes from AZURE_STORAGE_CONNECTION_STRING. The bytes are random, the same each time. Counts or sizes are divided by DIVISOR.
Prints sizes and names of the blobs.
"""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings

KIB, MIB, GIB = 1024, 1024**2, 1024**3


def small(divisor):
    """10,000 files of 4 KiB in 100 directories."""
    return {f"d{at // 100:02}/f{at:05}.bin": 4 * KIB for at in range(10_000 // divisor)}


def big(divisor):
    """One blob of 1 GiB."""
    return {"weights.bin": GIB // divisor}


def main():
    container, work, divisor = sys.argv[1:]
    text = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    service = BlobServiceClient.from_connection_string(text, max_block_size=16 * MIB)
    client = service.get_container_client(container)
    try:
        # curl, the floor, signs nothing.
        client.create_container(public_access="container")
    except ResourceExistsError:
        pass
    block = random.Random("mlfetch bench").randbytes(MIB)

    def pieces(size, start):
        for at in range(0, size, MIB):
            piece = block[start % MIB :] + block[: start % MIB]
            yield piece[: min(MIB, size - at)]

    def put(item):
        at, (name, size) = item
        body = b"".join(pieces(size, at * 4099)) if size < MIB else pieces(size, 7)
        kind = ContentSettings(content_type="application/octet-stream")
        blob = client.get_blob_client(f"{work}/{name}")
        blob.upload_blob(body, length=size, overwrite=True, content_settings=kind, max_concurrency=2)

    files = {"small": small, "big": big}[work](int(divisor))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, enumerate(files.items())))
    print("\n".join(f"{size} {name}" for name, size in files.items()))


if __name__ == "__main__":
    main()
