"""Puts files into HDFS over its HTTP side, under exactly their names.

Reads one JSON object from standard input: "url" of the NameNode, "identity" (the part of a query that says
who asks), "root" (a directory that is made anew), "objects", each with "key" and "body" in base64.
"""

import base64
import http.client
import json
import sys
from urllib.parse import quote, urlsplit

PREFIX = "/webhdfs/v1"


class Server:
    def __init__(self, asked):
        self.address = urlsplit(asked["url"]).netloc
        self.identity = asked["identity"]
        self.connection = http.client.HTTPConnection(self.address)

    def ask(self, method, path, query):
        target = f"{PREFIX}{path}?{query}&{self.identity}"
        self.connection.request(method, target)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {body[:500]!r}")
        return answer, body

    def put(self, path, body):
        answer, _ = self.ask("PUT", path, "op=CREATE&overwrite=false")
        place = urlsplit(answer.headers["Location"])
        # The redirect's own path has its letters composed, and the file would get another name.
        datanode = http.client.HTTPConnection(place.netloc)
        datanode.request("PUT", f"{PREFIX}{path}?{place.query}", body)
        answer = datanode.getresponse()
        words = answer.read()
        datanode.close()
        if answer.status != 201:
            raise SystemExit(f"PUT {path}: {answer.status} {words[:500]!r}")


def names(server, path):
    """Every file below a directory, as HDFS lists it."""
    _, body = server.ask("GET", path, "op=LISTSTATUS")
    for row in json.loads(body)["FileStatuses"]["FileStatus"]:
        below = f"{path}/{quote(row['pathSuffix'], safe='')}"
        if row["type"] == "DIRECTORY":
            yield from names(server, below)
        else:
            yield below


def main():
    asked = json.load(sys.stdin)
    server = Server(asked)
    root = quote(asked["root"])
    server.ask("PUT", root, "op=MKDIRS")
    wanted = []
    for item in asked["objects"]:
        key = base64.b64decode(item["key"]).decode("utf-8")
        path = f"{root}/{quote(key, safe='/')}"
        server.put(path, base64.b64decode(item["body"]))
        wanted.append(f"{root}/{'/'.join(quote(part, safe='') for part in key.split('/'))}")
    # A server that folds names would hold the bytes under another one.
    if sorted(names(server, root)) != sorted(wanted):
        sys.exit("HDFS holds something under another name")


main()
