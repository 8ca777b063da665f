"""Writes the quick start store, mlflow.db and artifacts/, with a real MLflow.

Run it with the Python that `cargo xtask services install mlflow` sets up:

    python examples/quickstart/write_store.py

The store is written in a temporary directory, cleaned of everything that belongs to the machine it
was written on, checked, and only then put in place of the old one.
"""

import getpass
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import sys
import tempfile
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
PUBLISHED_ROOT = "file:///mlfetch-quickstart"
AMOUNT_LIMITS = {1: 5000, 2: 2500, 3: 1000}
CHAMPION = 2
WRITTEN_AT_MILLISECONDS = 1_767_225_600_000  # 2026-01-01T00:00:00Z

NESTED_ARTIFACTS = {
    "empty.txt": b"",
    "names/100%.txt": b"a percent sign that escapes nothing\n",
    "names/50%20off.txt": b"a percent sign that looks like an escape\n",
    "names/issue#7.txt": b"a number sign\n",
    "names/two words.txt": b"a space\n",
    "names/\u6570\u636e/\u0434\u0430\u043d\u043d\u044b\u0435.csv": "id,\u540d\u524d\n1,\u00e9t\u00e9\n".encode(),
    "reports/2026/january/summary.json": b'{"payments": 1200, "suspicious": 7}\n',
    "reports/2026/january/confusion matrix.csv": b"true,false\n7,1193\n",
    "reports/history.bin": random.Random("history").randbytes(32768),
}


def repeatable_identifiers():
    """Makes MLflow draw the same run and model identifiers on every writing."""
    source = random.Random("mlfetch quick start")
    uuid.uuid4 = lambda: uuid.UUID(int=source.getrandbits(128), version=4)


def neutral_environment():
    """Keeps MLflow from recording who wrote the store."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        os.environ[name] = "quickstart"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"


def log_nested_run(mlflow, experiment_id, scratch):
    """Logs one run whose artifacts have the names that are hard to carry."""
    files = scratch / "files"
    for name, content in NESTED_ARTIFACTS.items():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with mlflow.start_run(experiment_id=experiment_id, run_name="nested artifacts") as run:
        mlflow.log_param("rows", 1200)
        mlflow.log_metric("suspicious", 7)
        mlflow.log_artifacts(str(files))
    return run.info.run_id


def log_version(mlflow, experiment_id, scratch, version, limit):
    """Trains (so to speak) one version of the model and registers it."""
    limits = scratch / "limits.json"
    limits.write_text(json.dumps({"amount": limit}, indent=2) + "\n", encoding="utf-8")
    with mlflow.start_run(experiment_id=experiment_id, run_name=f"training {version}") as run:
        mlflow.log_param("amount_limit", limit)
        model = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(HERE / "fraud_model.py"),
            artifacts={"limits": str(limits)},
            pip_requirements=[f"mlflow=={mlflow.__version__}"],
            registered_model_name="fraud",
        )
    return run.info.run_id, model.model_id


def fill(mlflow, root, scratch):
    """Writes the experiment, the runs, the registered model and its alias."""
    client = mlflow.MlflowClient()
    experiment_id = client.create_experiment("fraud", f"{root.as_uri()}/artifacts/fraud")
    client.set_experiment_tag(experiment_id, "purpose", "quick start")
    identifiers = {"nested": log_nested_run(mlflow, experiment_id, scratch)}
    for version, limit in AMOUNT_LIMITS.items():
        identifiers[version] = log_version(mlflow, experiment_id, scratch, version, limit)
        client.set_model_version_tag("fraud", str(version), "amount_limit", str(limit))
    client.update_registered_model("fraud", "Calls large payments suspicious.")
    client.set_registered_model_tag("fraud", "team", "payments")
    client.set_registered_model_alias("fraud", "champion", str(CHAMPION))
    return identifiers


def text_columns(database):
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, column, kind, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
            yield table, column, kind.upper()


def clean_database(path, replacements):
    """Replaces machine-bound text in every column, and every time by one fixed moment."""
    database = sqlite3.connect(path)
    for table, column, kind in text_columns(database):
        if "CHAR" in kind or "TEXT" in kind:
            for old, new in replacements:
                database.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) '
                    f'WHERE instr("{column}", ?)',
                    (old, new, old),
                )
        elif column.endswith(("_time", "_timestamp", "timestamp", "_timestamp_ms")):
            database.execute(
                f'UPDATE "{table}" SET "{column}" = ? WHERE "{column}" IS NOT NULL',
                (WRITTEN_AT_MILLISECONDS,),
            )
    database.execute("DELETE FROM tags WHERE key LIKE 'mlflow.source.git.%'")
    database.execute("UPDATE tags SET value = 'write_store.py' WHERE key = 'mlflow.source.name'")
    database.commit()
    database.execute("VACUUM")
    database.close()


def clean_files(root, replacements):
    """Replaces machine-bound text in the files, and the time in each model's description."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            content = cleaned = path.read_bytes()
            for old, new in replacements:
                cleaned = cleaned.replace(old.encode(), new.encode())
            if path.name == "MLmodel":
                cleaned = re.sub(
                    rb"(utc_time_created: ).*", rb"\1'2026-01-01 00:00:00.000000'", cleaned
                )
            if cleaned != content:
                path.write_bytes(cleaned)


def refuse_leaks(root, forbidden):
    """Fails when anything of this machine is still in the store."""
    for path in sorted(root.rglob("*")):
        for text in forbidden:
            if path.is_file() and text.encode() in path.read_bytes():
                sys.exit(f"`{path.relative_to(root)}` still holds `{text}`: add it to what is cleaned")


def replace_store(root):
    shutil.rmtree(HERE / "artifacts", ignore_errors=True)
    shutil.copytree(root / "artifacts", HERE / "artifacts")
    shutil.copyfile(root / "mlflow.db", HERE / "mlflow.db")


def main():
    user, host, home = getpass.getuser(), socket.gethostname(), str(Path.home())
    neutral_environment()
    import mlflow

    with tempfile.TemporaryDirectory(prefix="mlfetch-quickstart-") as directory:
        root = Path(directory).resolve() / "store"
        scratch = Path(directory).resolve() / "scratch"
        root.mkdir()
        scratch.mkdir()
        os.chdir(root)
        mlflow.set_tracking_uri(f"sqlite:///{root}/mlflow.db")
        repeatable_identifiers()
        identifiers = fill(mlflow, root, scratch)
        os.chdir(HERE)
        published = PUBLISHED_ROOT.removeprefix("file://")
        replacements = [
            (root.as_uri(), PUBLISHED_ROOT),
            (str(root), published),
            (str(scratch), f"{published}/scratch"),
            (str(HERE), published),
        ]
        clean_database(root / "mlflow.db", replacements)
        clean_files(root / "artifacts", replacements)
        refuse_leaks(root, [directory, str(HERE), home, host, f'"{user}"', sys.prefix])
        replace_store(root)
    for name, identifier in identifiers.items():
        print(name, identifier)


if __name__ == "__main__":
    main()
