"""Runs MLflow's own command line, as often as asked, without starting Python each time.

MLflow takes seconds to import. This process imports it once and makes a copy of itself (fork) for
each command; the copy takes the directory, the environment and the files for its output, and calls
the real command. What one command leaves in memory is gone before the next.

One JSON object a line on standard input, one a line on standard output:

    {"module": "mlflow.cli", "function": "cli", "arguments": [...], "directory": "...",
     "environment": {...}, "stdout": "path", "stderr": "path", "seconds": 60}
    {"exit": 0}

`module` and `function` name what is called with the arguments: a click command, or a function.
"""

import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings

EARLY_ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}

# What the commands import when they are called; imported here it is paid for once.
MODULES = [
    "mlflow.cli",
    "mlflow.artifacts",
    "mlflow.store.artifact.http_artifact_repo",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.artifact.mlflow_artifacts_repo",
    "mlflow.store.artifact.models_artifact_repo",
    "mlflow.store.artifact.runs_artifact_repo",
    "mlflow.store.db.utils",
    "mlflow.store.model_registry.file_store",
    "mlflow.store.model_registry.rest_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.file_store",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.tracking.sqlalchemy_store",
]


def warm_up():
    """Imports MLflow, and starts no thread: a copy of a process has none of its threads."""
    os.environ.update(EARLY_ENVIRONMENT)
    warnings.filterwarnings("ignore")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    for module in MODULES:
        importlib.import_module(module)
    # A copy that collects garbage would write to, and so copy, every page of what was imported.
    gc.collect()
    gc.freeze()


def redirect(path, descriptor):
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def call(job):
    """Becomes the command of `job` and returns its exit code."""
    os.environ.clear()
    os.environ.update(EARLY_ENVIRONMENT)
    os.environ.update(job["environment"])
    tempfile.tempdir = None
    os.chdir(job["directory"])
    os.umask(0o022)
    redirect(os.devnull, 0)
    redirect(job["stdout"], 1)
    redirect(job["stderr"], 2)
    function = getattr(importlib.import_module(job["module"]), job["function"])
    try:
        if hasattr(function, "main"):
            function.main(args=job["arguments"], prog_name="mlflow")
        else:
            function(*job["arguments"])
        return 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1


def run(job):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = call(job)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    return wait(child, time.monotonic() + job["seconds"])


def wait(child, deadline):
    """The child's exit code; one that does not end is killed."""
    pause = 0.001
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def main():
    warm_up()
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    for line in sys.stdin:
        answers.write(json.dumps({"exit": run(json.loads(line))}) + "\n")


if __name__ == "__main__":
    main()
