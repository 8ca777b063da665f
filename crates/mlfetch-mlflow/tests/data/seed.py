"""Writes one known set of runs, logged models and registered models into a tracking store.

Usage: seed.py TRACKING_URI [ARTIFACT_ROOT]

With MLFETCH_SEED_FEW set, the registered models that only some tests need are left out: a server
with passwords takes a third of a second for each request.

Prints one JSON object that says what was written: the tests compare with it. Credentials, and
MLFLOW_ALLOW_FILE_STORE for a directory, come from the environment.
"""

import json
import os
import sys
import uuid
import warnings

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
warnings.filterwarnings("ignore")

from mlflow import MlflowClient  # noqa: E402  (the environment must be set before)

BUCKET = "s3://bucket/models/fraud"
ELSEWHERE = "mlflow-artifacts://other.example:5000/7/models/fraud"


def describe_run(client, run_id):
    info = client.get_run(run_id).info
    return {
        "run_id": info.run_id,
        "experiment_id": info.experiment_id,
        "artifact_uri": info.artifact_uri,
    }


def describe_model(client, model_id):
    model = client.get_logged_model(model_id)
    return {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "artifact_uri": model.artifact_location,
        "source_run_id": model.source_run_id,
    }


def log_model(client, experiment, name, run_id):
    model = client.create_logged_model(experiment, name=name, source_run_id=run_id)
    client.finalize_logged_model(model.model_id, "READY")
    return model.model_id


def main():
    uri = sys.argv[1]
    root = sys.argv[2] if len(sys.argv) > 2 else None
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    # The file store's registry looks a logged model up in the process-wide tracking store.
    os.environ["MLFLOW_TRACKING_URI"] = uri

    # Several seeds may meet in one server: every name carries a mark of its own.
    mark = uuid.uuid4().hex[:8]
    experiment = client.create_experiment(f"seed {mark}", artifact_location=root)
    other_experiment = client.create_experiment(f"gone {mark}", artifact_location=root)

    run = client.create_run(experiment).info.run_id
    other_run = client.create_run(experiment).info.run_id
    deleted_run = client.create_run(experiment).info.run_id
    trashed_run = client.create_run(other_experiment).info.run_id

    model = log_model(client, experiment, "model", run)
    second = log_model(client, experiment, "second", run)
    of_other_run = log_model(client, experiment, "model", other_run)
    deleted_model = log_model(client, experiment, "model", run)
    gone_model = describe_model(client, deleted_model)

    facts = {
        "run": describe_run(client, run),
        "other_run": describe_run(client, other_run),
        "deleted_run": describe_run(client, deleted_run),
        "trashed_run": describe_run(client, trashed_run),
        "model": describe_model(client, model),
        "second": describe_model(client, second),
        "of_other_run": describe_model(client, of_other_run),
        "deleted_model": gone_model,
    }

    name = f"fraud detector {mark}"
    # A server takes a place of artifacts as a source only where it is its own and a run's.
    served = uri.startswith("http")
    place = facts["run"]["artifact_uri"] + "/plain" if served else ELSEWHERE
    sources = [f"runs:/{run}/plain", f"models:/{model}", BUCKET, place, f"models:/{name}/2"]
    client.create_registered_model(name)
    for source in sources:
        client.create_model_version(
            name,
            source,
            run_id=run if run in source else None,
            # A server takes a logged model as a source only where it is named as one.
            model_id=model if source == f"models:/{model}" else None,
        )
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "3", "Production")
    client.transition_model_version_stage(name, "2", "Staging")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "Straße-1", "3")
    many, empty = f"many {mark}", f"empty {mark}"
    if "MLFETCH_SEED_FEW" not in os.environ:
        client.create_model_version(name, BUCKET)
        client.delete_model_version(name, "6")
        client.create_registered_model(many)
        for number in range(11):
            client.create_model_version(many, f"{BUCKET}/{number}")
        client.create_registered_model(empty)

    facts["registered"] = {"name": name, "many": many, "empty": empty}
    facts["versions"] = {}
    for number in range(1, 6):
        version = client.get_model_version(name, str(number))
        facts["versions"][str(number)] = {
            "stage": version.current_stage,
            "source": version.source,
            "run_id": version.run_id or None,
            "download_uri": client.get_model_version_download_uri(name, str(number)),
        }

    client.delete_run(deleted_run)
    client.delete_logged_model(deleted_model)
    client.delete_experiment(other_experiment)
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main()
