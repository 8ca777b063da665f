"""Creates a logged model on a tracking server and puts objects below its root in the bucket.

Reads one JSON object from standard input: {"objects": [[key, bytes], ...], "headers": {...}}, keys
and bytes in base64. Prints {"model_id": ..., "root": ...}: the root behind the server's proxy.
"""

import base64
import json
import os
import sys
import urllib.request
import uuid

import boto3

TRACKING = os.environ["MLFETCH_TEST_MLFLOW_S3"]
BUCKET = os.environ["MLFETCH_TEST_MINIO_BUCKET"]


def post(path, body):
    request = urllib.request.Request(
        f"{TRACKING}/api/2.0/mlflow/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def main():
    asked = json.load(sys.stdin)
    experiment = post("experiments/create", {"name": uuid.uuid4().hex})["experiment_id"]
    info = post("logged-models", {"experiment_id": experiment, "name": "model"})["model"]["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/"
    bucket = boto3.client(
        "s3",
        endpoint_url=os.environ["MLFETCH_TEST_MINIO_URL"],
        aws_access_key_id=os.environ["MLFETCH_TEST_MINIO_ACCESS_KEY"],
        aws_secret_access_key=os.environ["MLFETCH_TEST_MINIO_SECRET_KEY"],
        region_name="us-east-1",
    )
    if BUCKET not in [known["Name"] for known in bucket.list_buckets()["Buckets"]]:
        bucket.create_bucket(Bucket=BUCKET)
    for key, body in asked["objects"]:
        name = "mlflow/" + root + base64.b64decode(key).decode("utf-8")
        bucket.put_object(
            Bucket=BUCKET, Key=name, Body=base64.b64decode(body), **asked.get("headers", {})
        )
        # A server that folds names would hold the bytes under another one.
        listed = bucket.list_objects_v2(Bucket=BUCKET, Prefix=name, MaxKeys=1).get("Contents", [])
        if [known["Key"] for known in listed] != [name]:
            sys.exit(f"the bucket holds {name!r} under another name")
    print(json.dumps({"model_id": info["model_id"], "root": root}))


main()
