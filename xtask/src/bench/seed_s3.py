"""Puts the objects of one piece of work into a bucket that everybody may read.

    python seed_s3.py BUCKET WORK DIVISOR

Counts or sizes are divided by DIVISOR. The bucket's address and keys come from AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY. The bytes are random, the same each time. Prints sizes and names of the objects.
"""

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

KIB, MIB, GIB = 1024, 1024**2, 1024**3


def small(divisor):
    """10,000 files of 4 KiB in 100 directories."""
    return {f"d{at // 100:02}/f{at:05}.bin": 4 * KIB for at in range(10_000 // divisor)}


def model(divisor):
    """270 files, 1 GiB: weights in shards, tokenizers, many small descriptions."""
    files = {f"weights/shard-{at:02}.safetensors": 100 * MIB // divisor for at in range(10)}
    files |= {f"tokenizer/part-{at:02}.json": 300 * KIB // divisor for at in range(60)}
    files |= {f"config/{at // 20:02}/c{at:03}.yaml": 2 * KIB + at for at in range(200)}
    return files


def big(divisor):
    """One object of 2 GiB."""
    return {"weights.bin": 2 * GIB // divisor}


class Body:
    """Random bytes without holding them all: one block, over and over, from a start of its own."""

    block = random.Random("mlfetch bench").randbytes(MIB)

    def __init__(self, size, start):
        self.left = size
        self.at = start % MIB

    def read(self, size=-1):
        want = self.left if size < 0 else min(size, self.left)
        pieces = []
        self.left -= want
        while want:
            piece = self.block[self.at : self.at + want]
            pieces.append(piece)
            want -= len(piece)
            self.at = (self.at + len(piece)) % MIB
        return b"".join(pieces)


def allow_everybody_to_read(client, bucket):
    """curl, the floor, signs nothing."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_bucket_policy(Bucket=bucket, Policy=policy)


def main():
    bucket, work, divisor = sys.argv[1:]
    client = boto3.client("s3", region_name="us-east-1", config=Config(max_pool_connections=32))
    existing = {row["Name"] for row in client.list_buckets()["Buckets"]}
    if bucket not in existing:
        client.create_bucket(Bucket=bucket)
        allow_everybody_to_read(client, bucket)
    transfer = TransferConfig(multipart_chunksize=16 * MIB, max_concurrency=4)

    def put(item):
        at, (name, size) = item
        key = f"{work}/{name}"
        if size < 8 * MIB:
            client.put_object(Bucket=bucket, Key=key, Body=Body(size, at * 4099).read())
        else:
            client.upload_fileobj(Body(size, at * 4099), bucket, key, Config=transfer)

    works = {"small": small, "unchanged": small, "model": model, "big": big}
    files = works[work](int(divisor))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, enumerate(files.items())))
    print("\n".join(f"{size} {name}" for name, size in files.items()))


if __name__ == "__main__":
    main()
