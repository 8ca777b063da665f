"""Runs HttpFS, Hadoop's own HTTP gateway, in front of an HDFS.

    httpfs.py DIRECTORY JARS CONF --port PORT

JARS is a directory of Hadoop's jars, and CONF has the configuration of the HDFS, which must let `gateway` ask for
others (hdfs.py). All that the gateway writes is below DIRECTORY.
"""

import argparse
import os
import pathlib
import secrets

import hdfs

GATEWAY = "org.apache.hadoop.fs.http.server.HttpFSServerWebServer"


def settings(place, conf, port):
    return {
        "httpfs.http.hostname": "127.0.0.1",
        "httpfs.http.port": str(port),
        "httpfs.hadoop.config.dir": str(conf),
        "httpfs.authentication.signature.secret.file": str(place / "secret"),
        "hadoop.http.temp.dir": str(place / "http"),
        # Tests act as others.
        "httpfs.proxyuser.carrier.hosts": "*",
        "httpfs.proxyuser.carrier.groups": "*",
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("jars")
    parser.add_argument("conf", type=pathlib.Path)
    parser.add_argument("--port", required=True)
    options = parser.parse_args()
    place = options.directory.resolve()
    # The gateway does not start where one of them is missing.
    directories = {name: place / name for name in ("home", "config", "log", "temp")}
    for directory in directories.values():
        directory.mkdir(parents=True)
    (place / "secret").write_text(secrets.token_hex(32))
    config = directories["config"]
    (config / "httpfs-log4j.properties").write_text(hdfs.LOGGING)
    hdfs.write_site(config / "httpfs-site.xml", settings(place, options.conf, options.port))
    command = ["java", *hdfs.JVM]
    command += [f"-Dhttpfs.{name}.dir={directory}" for name, directory in directories.items()]
    command += ["-cp", f"{config}:{options.conf}:{options.jars}/*", GATEWAY]
    os.execvpe("java", command, {**os.environ, "HADOOP_USER_NAME": "gateway"})


main()
