"""Lets everybody read and write the objects of a bucket."""

import json
import sys

import boto3

bucket = sys.argv[1]
statement = {
    "Effect": "Allow",
    "Principal": {"AWS": ["*"]},
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": [f"arn:aws:s3:::{bucket}/*"],
}
policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
boto3.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
