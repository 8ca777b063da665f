"""Puts objects into a bucket of fake-gcs-server under exactly their names.

Reads JSON: {"url", "bucket", "objects": [{"key", "body", "encoding"?}]}, key and body in base64.
Prints the generations as a JSON list. The standard library only: a process must cost little.
"""

import base64
import http.client
import json
import sys
from urllib.parse import quote, urlencode, urlsplit


def main():
    given = json.load(sys.stdin)
    connection = http.client.HTTPConnection(urlsplit(given["url"]).netloc)
    generations = []
    for one in given["objects"]:
        # A name that is no text is refused here: the API has no other names.
        name = base64.b64decode(one["key"]).decode("utf-8")
        query = {"uploadType": "media", "name": name}
        if one.get("encoding"):
            query["contentEncoding"] = one["encoding"]
        target = f"/upload/storage/v1/b/{quote(given['bucket'], safe='')}/o?"
        body = base64.b64decode(one["body"])
        headers = {"Content-Type": "application/octet-stream"}
        connection.request("POST", target + urlencode(query, quote_via=quote), body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{name!r} was answered with {answer.status}: {text!r}")
        facts = json.loads(text)
        if facts["name"] != name:
            sys.exit(f"{name!r} was stored as {facts['name']!r}")
        generations.append(facts["generation"])
    json.dump(generations, sys.stdout)


main()
