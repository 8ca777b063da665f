"""Puts blobs into a container, with requests and signatures of its own.

Microsoft's library folds names such as `a/../b` on their way, so it makes only the shared access signatures here.
Reads one JSON object from standard input: "url", "account", "key", "ca" (optional), "container"; "public" (optional) is
"container" or "blob"; "blobs", each with "key" and "body" in base64, "headers" (optional), and "snapshot" (optional), true to
take one after it was put; "signatures" (optional), each with "of" ("account", "container" or a blob's name), "permission",
"expires_in" in seconds. Prints {"snapshots": [...], "signatures": [...]}.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import ssl
import sys
import urllib.parse
import xml.etree.ElementTree as xml
from email.utils import formatdate

ESCAPED_NOWHERE = "-_.~"


class Service:
    def __init__(self, asked):
        self.asked = asked
        parts = urllib.parse.urlsplit(asked["url"])
        self.base = parts.path
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=asked["ca"])
            self.http = http.client.HTTPSConnection(parts.netloc, context=context)
        else:
            self.http = http.client.HTTPConnection(parts.netloc)

    def ask(self, method, path, query=(), headers=(), body=b""):
        path = self.base + "/" + "/".join(urllib.parse.quote(part, safe=ESCAPED_NOWHERE) for part in path)
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02", **dict(headers)}
        query = dict(query)
        headers["Authorization"] = self.signature(method, path, query, headers, len(body))
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        self.http.request(method, target, body=body, headers=headers)
        answer = self.http.getresponse()
        text = answer.read()
        return answer.status, answer.headers, text

    def signature(self, method, path, query, headers, length):
        account = self.asked["account"]
        fixed = [method, "", "", str(length or ""), "", headers.get("Content-Type", ""), "", "", "", "", "", ""]
        own = sorted((name, value) for name, value in headers.items() if name.startswith("x-ms-"))
        lines = fixed + [f"{name}:{value}" for name, value in own]
        lines.append(f"/{account}{path}")
        lines += [f"{name}:{value}" for name, value in sorted(query.items())]
        key = base64.b64decode(self.asked["key"])
        digest = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).digest()
        return f"SharedKey {account}:{base64.b64encode(digest).decode()}"

    def must(self, *arguments, **more):
        status, headers, text = self.ask(*arguments, **more)
        if status >= 300:
            sys.exit(f"{arguments}: {status} {text!r}")
        return headers, text


def make_container(service, container, public):
    headers = {"x-ms-blob-public-access": public} if public else {}
    status, _, text = service.ask("PUT", [container], {"restype": "container"}, headers)
    if status not in (201, 409):
        sys.exit(f"no container: {status} {text!r}")


def put(service, container, blob):
    name = base64.b64decode(blob["key"]).decode("utf-8")
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
    headers.update(blob.get("headers", {}))
    service.must("PUT", [container, name], headers=headers, body=base64.b64decode(blob["body"]))
    # A server that folds names would hold the bytes under another one.
    query = {"restype": "container", "comp": "list", "prefix": name, "maxresults": "1"}
    status, _, page = service.ask("GET", [container], query)
    # Azurite fails to list some names that it holds.
    found = [found.text for found in xml.fromstring(page).iter("Name")] if status == 200 else [name]
    if found != [name]:
        sys.exit(f"the container holds {name!r} under another name: {found!r}")
    if not blob.get("snapshot"):
        return None
    answer, _ = service.must("PUT", [container, name], {"comp": "snapshot"})
    return answer["x-ms-snapshot"]


def sign(asked, wanted):
    from azure.storage import blob as azure

    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=wanted["expires_in"])
    account, key, container = asked["account"], asked["key"], asked["container"]
    arguments = {"account_key": key, "permission": wanted["permission"], "expiry": expiry}
    if wanted["of"] == "account":
        types = azure.ResourceTypes(object=True)
        return azure.generate_account_sas(account, resource_types=types, **arguments)
    if wanted["of"] == "container":
        return azure.generate_container_sas(account, container, **arguments)
    return azure.generate_blob_sas(account, container, wanted["of"], **arguments)


def main():
    asked = json.load(sys.stdin)
    service = Service(asked)
    make_container(service, asked["container"], asked.get("public"))
    snapshots = [put(service, asked["container"], blob) for blob in asked["blobs"]]
    signatures = [sign(asked, wanted) for wanted in asked.get("signatures", [])]
    print(json.dumps({"snapshots": snapshots, "signatures": signatures}))


main()
