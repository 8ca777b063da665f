"""Puts objects into a bucket of MinIO, through boto3.

Reads one JSON object from standard input: "bucket"; "versioned" (optional) turns versions on; "policy"
(optional) is set as text; "objects", each with "key" and "body" in base64, "parts" (optional) sizes of the parts to upload it in,
"arguments" (optional) more of boto3's arguments. Prints {"versions": [...]}, one for each object.
"""

import base64
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def connect():
    return boto3.client(
        "s3",
        endpoint_url=os.environ["MLFETCH_TEST_MINIO_URL"],
        aws_access_key_id=os.environ["MLFETCH_TEST_MINIO_ACCESS_KEY"],
        aws_secret_access_key=os.environ["MLFETCH_TEST_MINIO_SECRET_KEY"],
        region_name="us-east-1",
        # No checksum but those that a test asks for.
        config=Config(request_checksum_calculation="when_required"),
    )


def upload(client, place, body, sizes, arguments):
    started = client.create_multipart_upload(**place, **arguments)
    upload_id, parts, at = started["UploadId"], [], 0
    algorithm = arguments.get("ChecksumAlgorithm")
    for number, size in enumerate(sizes, start=1):
        extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        part = client.upload_part(
            **place, UploadId=upload_id, PartNumber=number, Body=body[at : at + size], **extra
        )
        kept = {name: value for name, value in part.items() if name.startswith("Checksum")}
        kept.pop("ChecksumType", None)
        parts.append({"PartNumber": number, "ETag": part["ETag"], **kept})
        at += size
    extra = {key: arguments[key] for key in ("ChecksumType",) if key in arguments}
    return client.complete_multipart_upload(
        **place, UploadId=upload_id, MultipartUpload={"Parts": parts}, **extra
    )


def main():
    asked = json.load(sys.stdin)
    client, bucket = connect(), asked["bucket"]
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    if asked.get("versioned"):
        client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )
    if asked.get("policy"):
        client.put_bucket_policy(Bucket=bucket, Policy=asked["policy"])
    versions = []
    for item in asked["objects"]:
        name = base64.b64decode(item["key"]).decode("utf-8")
        body = base64.b64decode(item["body"])
        place, arguments = {"Bucket": bucket, "Key": name}, item.get("arguments", {})
        if item.get("parts"):
            done = upload(client, place, body, item["parts"], arguments)
        else:
            done = client.put_object(**place, Body=body, **arguments)
        versions.append(done.get("VersionId"))
        # A server that folds names would hold the bytes under another one.
        listed = client.list_objects_v2(Bucket=bucket, Prefix=name, MaxKeys=1).get("Contents", [])
        if [known["Key"] for known in listed] != [name]:
            sys.exit(f"the bucket holds {name!r} under another name")
    print(json.dumps({"versions": versions}))


main()
