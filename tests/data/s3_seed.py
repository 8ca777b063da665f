"""What the tests of S3 are about, put there by MLflow and boto3.

Called as `s3_seed.py ACTION ARGUMENTS`, with one JSON value as the arguments; prints one JSON value.
MinIO is described by the variables of the tests.
"""

import base64
import io
import json
import os
import sys

PATTERN = bytes(range(251))
MEBIBYTE = 1024 * 1024
# Bits and reflected polynomial of what boto3 cannot compute alone.
CRCS = {"CRC32C": (32, 0x82F63B78), "CRC64NVME": (64, 0x9A6C9329AC4BC9B5)}


def variable(name):
    return os.environ[f"MLFETCH_TEST_MINIO_{name}"]


def connect(service):
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=variable("URL"),
        aws_access_key_id=variable("ACCESS_KEY"),
        aws_secret_access_key=variable("SECRET_KEY"),
        region_name="us-east-1",
        # No checksum but those that a test asks for.
        config=Config(request_checksum_calculation="when_required"),
    )


def body(size):
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def crc(name, content):
    """A checksum as S3 writes it; MinIO refuses an object whose bytes have another."""
    bits, polynomial = CRCS[name]
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    remainder = ones = (1 << bits) - 1
    for byte in content:
        remainder = (remainder >> 8) ^ table[(remainder ^ byte) & 255]
    return base64.b64encode((remainder ^ ones).to_bytes(bits // 8, "big")).decode()


def put_told_parts(client, bucket, key, content, name):
    """Parts of 5 MiB with checksums computed here: a CRC64 of the whole, of others one of parts."""
    of_whole = name == "CRC64NVME"
    upload = client.create_multipart_upload(
        Bucket=bucket,
        Key=key,
        ChecksumAlgorithm=name,
        ChecksumType="FULL_OBJECT" if of_whole else "COMPOSITE",
    )
    upload = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
    parts = []
    for number, start in enumerate(range(0, len(content), 5 * MEBIBYTE), 1):
        piece = content[start : start + 5 * MEBIBYTE]
        told = {f"Checksum{name}": crc(name, piece)}
        answer = client.upload_part(**upload, PartNumber=number, Body=piece, **told)
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **told})
    whole = {"ChecksumType": "FULL_OBJECT", f"Checksum{name}": crc(name, content)}
    client.complete_multipart_upload(
        **upload, MultipartUpload={"Parts": parts}, **(whole if of_whole else {})
    )


def put(objects):
    """Puts objects of a "key" and a "size".

    "checksum" names one for boto3 to compute, "told" one that is computed here; with "parts" the
    object is put in parts.
    """
    from boto3.s3.transfer import TransferConfig

    client, bucket = connect("s3"), variable("BUCKET")
    settings = TransferConfig(multipart_threshold=5 * MEBIBYTE, multipart_chunksize=5 * MEBIBYTE)
    for item in objects:
        checksum = item.get("checksum")
        extra = {"ChecksumAlgorithm": checksum} if checksum else {}
        content = body(item["size"])
        told = item.get("told")
        if told and item.get("parts"):
            put_told_parts(client, bucket, item["key"], content, told)
            continue
        if told:
            extra[f"Checksum{told}"] = crc(told, content)
        if item.get("parts"):
            file = io.BytesIO(content)
            client.upload_fileobj(file, bucket, item["key"], ExtraArgs=extra, Config=settings)
        else:
            client.put_object(Bucket=bucket, Key=item["key"], Body=content, **extra)
    return len(objects)


def sign_in(policy):
    """Keys of somebody who may do what the policy says and nothing else."""
    answer = connect("sts").assume_role(
        RoleArn="arn:aws:iam::000000000000:role/any",
        RoleSessionName="reader",
        Policy=json.dumps(policy),
        DurationSeconds=900,
    )
    keys = answer["Credentials"]
    return [keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]]


def log_run(arguments):
    """Logs a directory as `dir` of a new run, through the server, and gives the run's id."""
    from mlflow import MlflowClient

    client = MlflowClient(arguments["server"])
    run = client.create_run(client.create_experiment(arguments["experiment"])).info.run_id
    client.log_artifacts(run, arguments["directory"], "dir")
    return run


if __name__ == "__main__":
    actions = {"put": put, "sign_in": sign_in, "log_run": log_run}
    print(json.dumps(actions[sys.argv[1]](json.loads(sys.argv[2]))))
