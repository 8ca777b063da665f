"""What the tests of Google Cloud Storage are about, put there by MLflow and Google's own client.

Called as `gcs_seed.py ACTION ARGUMENTS`, with one JSON value as the arguments; prints one JSON value.
The server is described by the variables of the tests.
"""

import gzip
import json
import os
import sys

PATTERN = bytes(range(251))


def variable(name):
    return os.environ[f"MLFETCH_TEST_GCS_{name}"]


def body(size):
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def put(objects):
    """Puts objects of a "key" and a "size"; with "gzip" the object is stored compressed. Gives their
    generations."""
    os.environ["STORAGE_EMULATOR_HOST"] = variable("URL")
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(project="test", credentials=AnonymousCredentials())
    bucket = client.bucket(variable("BUCKET"))
    generations = []
    for item in objects:
        blob = bucket.blob(item["key"])
        content = body(item["size"])
        if item.get("gzip"):
            blob.content_encoding = "gzip"
            content = gzip.compress(content, mtime=0)
        blob.upload_from_string(content, content_type="application/octet-stream")
        generations.append(str(blob.generation))
    return generations


def log_run(arguments):
    """Logs a directory as `dir` of a new run, through the server, and gives the run's id."""
    from mlflow import MlflowClient

    client = MlflowClient(arguments["server"])
    run = client.create_run(client.create_experiment(arguments["experiment"])).info.run_id
    client.log_artifacts(run, arguments["directory"], "dir")
    return run


if __name__ == "__main__":
    actions = {"put": put, "log_run": log_run}
    print(json.dumps(actions[sys.argv[1]](json.loads(sys.argv[2]))))
