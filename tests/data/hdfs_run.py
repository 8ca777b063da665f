"""Writes a run whose artifact root is in HDFS into a tracking store, as MLflow's client does.

    hdfs_run.py TRACKING_URI ARTIFACT_ROOT

Prints the run's id and its artifact URI as JSON. MLflow asks nothing of HDFS for that.
"""

import json
import sys

from mlflow import MlflowClient


def main():
    tracking_uri, root = sys.argv[1:]
    client = MlflowClient(tracking_uri=tracking_uri)
    experiment = client.create_experiment("in HDFS", artifact_location=root)
    run = client.create_run(experiment)
    client.set_terminated(run.info.run_id)
    print(json.dumps({"run": run.info.run_id, "uri": run.info.artifact_uri}))


main()
