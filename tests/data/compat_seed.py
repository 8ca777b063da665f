"""What the rows of the compatibility table are about, written by a real MLflow.

`mlflow_worker.py` calls the two functions at the end: `write_trees` makes the files on the local
disk, once, for the tests to compare with; `write_store` makes the runs, logged models and
registered models of one tracking store and lays the same files where its artifacts belong.
"""

import gzip
import json
import os
import random
import shutil
import sys
import time
import unicodedata
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Schemes of buckets, whose objects are put there one by one.
BUCKETS = ("s3:", "gs:", "wasbs:")

MLMODEL = b"artifact_path: model\nflavors: {}\n"

# Names in `fair/` of the run `run`: MLflow 3.17.2 fetches each of them from each of its stores.
FAIR_NAMES = [
    "100%.txt",
    "[brackets].txt",
    "{braces}.txt",
    "<angles>.txt",
    "(round).txt",
    "a&b.txt",
    "a+b.txt",
    "a,b.txt",
    "a;b.txt",
    "a=b.txt",
    "a@b.txt",
    "a:b.txt",
    "a*b.txt",
    "a|b.txt",
    "a^b.txt",
    "a!b.txt",
    "a$b.txt",
    "a`b.txt",
    "~tilde.txt",
    "-dash.txt",
    ".hidden",
    "back\\slash.txt",
    "it's.txt",
    'say "hello".txt',
    "two words.txt",
    "two  spaces.txt",
    "trailing space ",
    "trailing dot.",
    "trailing dots...",
    "CON",
    "UPPER.TXT",
    "upper.txt",
    "registered_model_meta",
    unicodedata.normalize("NFC", "caf\u00e9 nfc.txt"),
    unicodedata.normalize("NFD", "caf\u00e9 nfd.txt"),
    "\u6570\u636e.csv",
    "\u0434\u0430\u043d\u043d\u044b\u0435.csv",
    "\u05e9\u05dc\u05d5\u05dd.txt",
    "\U0001f600.bin",
    "l" * 251 + ".txt",
]

# Names in `<directory>/` of the run `odd`, each beside a `plain.txt`: MLflow 3.17.2 cannot fetch
# them, or not everywhere. A directory each, because one of them may spoil its neighbours.
ODD_NAMES = {
    "escape": "%41.txt",
    "escaped-space": "a%20b.txt",
    "escaped-slash": "a%2Fb.txt",
    "escaped-twice": "%2541.txt",
    "hash": "a#b.txt",
    "question": "a?b.txt",
    "leading-space": " leading.txt",
    "tab": "a\tb.txt",
    "newline": "a\nb.txt",
    "return": "a\rb.txt",
    "control": "a\x01b.txt",
    "semicolon-end": "a;",
}


class Executable(bytes):
    """A file that its owner may execute."""


def text(name):
    return f"the content of {name}\n".encode()


def trees():
    """Every tree by name: paths with bytes, a link's target, or None for an empty directory."""
    run = {
        "y.txt": b"y at the top\n",
        "empty.txt": b"",
        "big.bin": random.Random("big").randbytes(3 * 1024 * 1024),
        "data.tar.gz": gzip.compress(b"not to be unpacked\n" * 100, mtime=0),
        "nest/y.txt": b"y in nest\n",
        "nest/empty.txt": b"",
        "nest/a/x.txt": b"x in a\n",
        "nest/a/b/deep.txt": b"deep\n",
        "nest/two words/z.txt": b"z\n",
        "more/one/1.txt": b"1",
        "more/two/2.txt": b"22",
        "more/two/nest/y.txt": b"another y\n",
        "emptydir": None,
        "holds/emptydir": None,
        "holds/full.txt": b"beside an empty directory\n",
        ".dotdir/.dotfile": b"dots\n",
    }
    run |= {f"fair/{name}": text(name) for name in FAIR_NAMES}
    odd = {}
    for directory, name in ODD_NAMES.items():
        odd |= {f"{directory}/{name}": text(name), f"{directory}/plain.txt": b"plain\n"}
    odd |= {
        "decoy/%41.txt": b"the encoded one\n",
        "decoy/A.txt": b"the decoded one\n",
        "escaped-directory/%41/x.txt": b"x\n",
        "hash-directory/a#b/x.txt": b"x\n",
        "split/d/f.txt": b"in a directory\n",
        "twins/same/same": b"a file called as its directory\n",
        "twins/beside/beside": b"has a neighbour\n",
        "twins/beside/other.txt": b"the neighbour\n",
    }
    return {
        "run": run,
        "odd": odd,
        "hidden": {
            "d/.artifact.uploading.txt": b"MLflow takes it for half an upload\n",
            "d/plain.txt": b"plain\n",
        },
        "bytes": {os.fsdecode(b"d/caf\xe9.txt"): b"not UTF-8\n", "d/plain.txt": b"plain\n"},
        "scripts": {"run.sh": Executable(b"#!/bin/sh\n")},
        "empty": {},
        "deleted": {"kept.txt": b"still there\n"},
        "links": {
            "real/r.txt": b"real\n",
            "target.txt": b"a target\n",
            "inside/own.txt": b"own\n",
            "inside/near.txt": ("link", "own.txt"),
            "inside/neardir": ("link", "sub"),
            "inside/sub/s.txt": b"s\n",
            "across/file.txt": ("link", "../target.txt"),
            "across/dir": ("link", "../real"),
            "across/own.txt": b"own\n",
            "across-file/file.txt": ("link", "../target.txt"),
        },
        "dangling": {"d/good.txt": b"good\n", "d/gone.txt": ("link", "nowhere")},
        "escaping": {
            "d/good.txt": b"good\n",
            "d/out.txt": ("link", "{outside}/secret.txt"),
            "e/good.txt": b"good\n",
            "e/out": ("link", "{outside}"),
        },
        "outside": {"secret.txt": b"not an artifact\n"},
        "trained": {
            "plain/p.txt": b"p\n",
            "plain/q/r.txt": b"r\n",
            "model/MLmodel": b"of the run\n",
            "model/extra.txt": b"only in the run\n",
        },
        "model": {
            "MLmodel": MLMODEL,
            "conda.yaml": b"name: env\n",
            "data/model.bin": random.Random("model").randbytes(5000),
            "data/nested/n.txt": b"n\n",
            "data/two words.txt": b"2\n",
        },
        "second": {"MLmodel": MLMODEL, "second.txt": b"2\n"},
        "bare": {"weights.bin": b"no MLmodel beside\n"},
        "partial": {"part/fine.txt": b"fine\n"},
        "broken": {"MLmodel": MLMODEL, "weights.bin": ("link", "nowhere")},
    }


def write_tree(root, tree, outside):
    root.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, tuple):
            path.symlink_to(content[1].replace("{outside}", str(outside)))
        else:
            path.write_bytes(content)
            if isinstance(content, Executable):
                path.chmod(0o755)


def write_trees(directory):
    root = Path(directory)
    for name, tree in trees().items():
        write_tree(root / name, tree, root / "outside")


# Runs that are called as the tree that they hold.
RUNS = [
    "run", "odd", "hidden", "bytes", "scripts", "empty", "links", "dangling", "escaping", "trained",
    "partial",
]


class Placer:
    """Lays a tree where a run or model has its artifacts.

    On the local disk it is copied, so that names, links and empty directories are exactly those of
    the tree. A store elsewhere gets a method here that uploads.
    """

    def __init__(self, source, proxied_root):
        self.source = Path(source)
        self.proxied_root = proxied_root

    def local_path(self, uri):
        parts = urlsplit(uri)
        if parts.scheme == "mlflow-artifacts":
            return Path(self.proxied_root + unquote(parts.path))
        if parts.scheme in ("", "file"):
            return Path(unquote(parts.path))
        sys.exit(f"no way to lay files at {uri}")

    def place(self, tree, uri):
        if uri.startswith(BUCKETS):
            return self.upload(tree, uri)
        to = self.local_path(uri)
        shutil.copytree(self.source / tree, to, symlinks=True, dirs_exist_ok=True)
        return str(to)


    def upload(self, tree, uri):
        """Only what a bucket can hold: no links, no empty directories, no names that are no text."""
        put = put_to_s3(uri) if uri.startswith("s3:") else put_by_mlflow(uri)
        for path in sorted((self.source / tree).rglob("*")):
            name = os.fsencode(path.relative_to(self.source / tree))
            if path.is_symlink() or not path.is_file() or b"\xe9" in name:
                continue
            put(path, name.decode())
        return uri


def put_to_s3(uri):
    """boto3, without the `Content-Encoding` that MLflow guesses from a name."""
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    bucket, _, root = uri.removeprefix("s3://").partition("/")
    return lambda path, name: client.put_object(
        Bucket=bucket, Key=f"{root}/{name}", Body=path.read_bytes()
    )


def put_by_mlflow(uri):
    """MLflow's own client of the store."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(uri)
    return lambda path, name: repository.log_artifact(str(path), os.path.dirname(name) or None)


def make_container(root):
    """MLflow makes none."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
    try:
        service.create_container(urlsplit(root).username)
    except ResourceExistsError:
        pass


class Writer:
    def __init__(self, client, placer):
        self.client = client
        self.placer = placer
        self.mark = uuid.uuid4().hex[:8]
        place = f"{placer.proxied_root}-{self.mark}" if placer.proxied_root.startswith(BUCKETS) else None
        self.experiment = client.create_experiment(f"compatibility {self.mark}", place)
        self.facts = {"mark": self.mark, "experiment": self.experiment}

    def run(self, name, tree):
        info = self.client.create_run(self.experiment).info
        self.facts[name] = info.run_id
        self.facts[f"{name}_uri"] = info.artifact_uri
        self.facts[f"{name}_path"] = self.placer.place(tree, info.artifact_uri)
        return info.run_id

    def model(self, name, tree, run, called="model"):
        model = self.client.create_logged_model(self.experiment, name=called, source_run_id=run)
        self.client.finalize_logged_model(model.model_id, "READY")
        self.facts[name] = model.model_id
        self.facts[f"{name}_uri"] = model.artifact_location
        self.facts[f"{name}_path"] = self.placer.place(tree, model.artifact_location)
        return model.model_id

    def registered(self, key, name, sources):
        name = name.replace("{mark}", self.mark)
        self.facts[key] = name
        self.client.create_registered_model(name)
        for source in sources:
            source = source.replace("{name}", name)
            model = source.removeprefix("models:/") if source.startswith("models:/m-") else None
            # A server takes a place of artifacts as a source only where it is a run's.
            runs = (self.facts["trained"], self.facts["only"])
            run = next((run for run in runs if run in source), None)
            self.client.create_model_version(name, source, run_id=run, model_id=model)
        return name

    def write(self):
        self.write_runs()
        self.write_registry()
        return self.facts

    def write_runs(self):
        for name in RUNS:
            self.run(name, name)
        self.run("only", "empty")
        self.run("deleted", "deleted")
        self.client.delete_run(self.facts["deleted"])
        self.model("model_id", "model", self.facts["trained"])
        self.model("second_id", "second", self.facts["trained"], called="second")
        self.model("only_id", "model", self.facts["only"])
        self.model("bare_id", "bare", self.facts["only"], called="bare")
        self.model("broken_id", "broken", self.facts["partial"], called="part")
        # MLflow writes beside the files of these; nothing else may use them.
        self.model("inplace_id", "model", self.facts["only"], called="inplace")
        self.model("untouched_id", "model", self.facts["only"], called="untouched")

    def write_registry(self):
        facts, client = self.facts, self.client
        shop = self.registered(
            "shop",
            "shop-{mark}",
            [
                f"runs:/{facts['trained']}/plain",
                f"models:/{facts['model_id']}",
                f"runs:/{facts['trained']}/model",
                f"{facts['trained_uri']}/plain",
                "models:/{name}/2",
                f"models:/{facts['bare_id']}",
            ],
        )
        for version, stage in (("2", "Staging"), ("3", "Production"), ("1", "Archived")):
            client.transition_model_version_stage(shop, version, stage)
        for alias, version in (("champion", "2"), ("Stra\u00dfe-1", "1"), ("a_b-c", "6")):
            client.set_registered_model_alias(shop, alias, version)
        spaced = self.registered("spaced", "two words {mark}", [f"models:/{facts['model_id']}"])
        client.set_registered_model_alias(spaced, "champion", "1")
        self.registered("many", "many-{mark}", [f"runs:/{facts['trained']}/plain"] * 11)
        self.registered("none", "none-{mark}", [])
        self.registered("gone", "gone-{mark}", [f"runs:/{facts['trained']}/missing"])
        self.registered("inplace", "inplace-{mark}", [f"models:/{facts['inplace_id']}"])
        self.registered("fromrun", "from-run-{mark}", [f"runs:/{facts['only']}/model"])
        self.registered("quoted", "1{mark}'s", [f"models:/{facts['model_id']}"])


def write_store(uri, source, proxied_root):
    """Writes the store that `uri` names and prints what there is in it, as one JSON object."""
    from mlflow import MlflowClient

    # The registry of the file store looks a logged model up in the process-wide store.
    os.environ["MLFLOW_TRACKING_URI"] = uri
    if proxied_root.startswith("wasbs:"):
        make_container(proxied_root)
    began = time.monotonic()
    facts = Writer(MlflowClient(uri, uri), Placer(source, proxied_root)).write()
    print(json.dumps(facts))
    print(f"{uri} was written in {time.monotonic() - began:.1f} s", file=sys.stderr)
