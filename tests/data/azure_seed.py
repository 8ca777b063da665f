"""What the tests of Azure are about, put there by MLflow and azure-storage-blob.

Called as `azure_seed.py ACTION ARGUMENTS`, with one JSON value as the arguments; prints one JSON value.
Azurite is described by the variables of the tests.
"""

import datetime
import json
import os
import sys

PATTERN = bytes(range(251))


def variable(name):
    return os.environ[f"MLFETCH_TEST_AZURITE_{name}"]


def connect(container, public=None):
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(variable("URL"), credential={"account_name": variable("ACCOUNT"), "account_key": variable("KEY")})
    client = service.get_container_client(container)
    try:
        client.create_container(public_access=public)
    except ResourceExistsError:
        pass
    return client


def body(size):
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def put(arguments):
    """Puts blobs of a "key" and a "size"; in blocks of "block" bytes each, if there is one."""
    client = connect(arguments["container"], arguments.get("public"))
    for item in arguments["blobs"]:
        content = body(item["size"])
        if "block" in item:
            put_in_blocks(client.get_blob_client(item["key"]), content, item["block"])
        else:
            client.upload_blob(item["key"], content, overwrite=True)
    return len(arguments["blobs"])


def put_in_blocks(blob, content, size):
    """Nobody computes a checksum of the whole."""
    from azure.storage.blob import BlobBlock

    names = [f"{start:016}" for start in range(0, len(content), size)]
    for name in names:
        blob.stage_block(name, content[int(name) : int(name) + size])
    blob.commit_block_list([BlobBlock(name) for name in names])


def sign(arguments):
    """A shared access signature for a container."""
    from azure.storage.blob import generate_container_sas

    now = datetime.datetime.now(datetime.timezone.utc)
    return generate_container_sas(
        variable("ACCOUNT"),
        arguments["container"],
        account_key=variable("KEY"),
        permission=arguments["permission"],
        expiry=now + datetime.timedelta(seconds=arguments["seconds"]),
    )


def log_run(arguments):
    """Logs a directory as `dir` of a new run into a store whose artifacts are in a container."""
    from mlflow import MlflowClient

    connect(arguments["container"])
    client = MlflowClient(arguments["store"])
    root = f"wasbs://{arguments['container']}@{variable('ACCOUNT')}.blob.core.windows.net/mlflow"
    run = client.create_run(client.create_experiment("in Azure", root)).info.run_id
    client.log_artifacts(run, arguments["directory"], "dir")
    return run


def log_through(arguments):
    """Logs a directory as `dir` of a new run through a server whose artifacts are in a container."""
    from mlflow import MlflowClient

    connect(arguments["container"])
    client = MlflowClient(arguments["server"])
    run = client.create_run(client.create_experiment(arguments["experiment"])).info.run_id
    client.log_artifacts(run, arguments["directory"], "dir")
    return run


if __name__ == "__main__":
    actions = {"put": put, "sign": sign, "log_run": log_run, "log_through": log_through}
    print(json.dumps(actions[sys.argv[1]](json.loads(sys.argv[2]))))
