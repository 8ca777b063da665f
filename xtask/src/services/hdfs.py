"""Runs an HDFS of its own in one directory: one NameNode or two, and DataNodes.

    hdfs.py DIRECTORY JARS --ports HTTP,RPC[,HTTP,RPC] [--datanodes N] [--host NAME] [--keystore FILE]
            [--set NAME=VALUE]...

With four ports there are two NameNodes of the nameservice `mlfetch`, the first of them active. With a keystore, as
certificates.py writes it, all speak HTTPS where they would speak HTTP. JARS is a directory of Hadoop's jars.
Below DIRECTORY:

    conf/           core-site.xml and hdfs-site.xml, as HADOOP_CONF_DIR for clients
    state           says `ready` once a DataNode can be written to
    NAME.sh         starts `namenode-1`, `namenode-2`, `datanode-1` … in the foreground
    NAME.pid        the process that this script started
    NAME.log        what it said

The servers are children of this process and stay in its process group.
"""

import argparse
import json
import os
import pathlib
import shlex
import ssl
import subprocess
import sys
import time
import urllib.request
from xml.sax.saxutils import escape

NAMESERVICE = "mlfetch"
HOSTS = ["127.0.0.1", "localhost"]
DATANODE_ADDRESSES = ("address", "ipc.address", "http.address", "https.address")
LOGGING = """log4j.rootLogger=WARN,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c: %m%n
"""
# Small heaps, one collector thread, and no time spent on the second compiler.
JVM = [
    "-Xmx192m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
]


class Cluster:
    def __init__(self, options):
        self.directory = pathlib.Path(options.directory).resolve()
        self.directory.mkdir(exist_ok=True)
        self.ports = [int(port) for port in options.ports.split(",")]
        self.datanodes = options.datanodes
        self.host = options.host
        self.keystore = options.keystore and pathlib.Path(options.keystore)
        self.settings = dict(text.split("=", 1) for text in options.set)
        self.jvm = JVM + shlex.split(options.jvm)
        self.classpath = ":".join(
            [str(self.directory / "conf"), str(self.directory / "web"), f"{options.jars}/*"]
        )

    @property
    def pair(self):
        return len(self.ports) == 4

    @property
    def scheme(self):
        return "https" if self.keystore else "http"

    def write(self):
        """Configuration, and the web pages that Hadoop's jars leave out and its servers look for."""
        for name in ("hdfs", "datanode"):
            place = self.directory / "web/webapps" / name / "WEB-INF"
            place.mkdir(parents=True)
            (place / "web.xml").write_text("<web-app/>")
        conf = self.directory / "conf"
        conf.mkdir()
        (conf / "log4j.properties").write_text(LOGGING)
        core, hdfs = self.core(), self.hdfs()
        for name, value in self.settings.items():
            (hdfs if name.startswith("dfs.") else core)[name] = value
        write_site(conf / "core-site.xml", core)
        write_site(conf / "hdfs-site.xml", hdfs)
        if self.keystore:
            write_site(conf / "ssl-server.xml", self.ssl_server())

    def ssl_server(self):
        password = self.keystore.with_suffix(".password").read_text()
        settings = {
            "type": "pkcs12",
            "location": str(self.keystore),
            "password": password,
            "keypassword": password,
        }
        return {f"ssl.server.keystore.{name}": value for name, value in settings.items()}

    def core(self):
        name = NAMESERVICE if self.pair else f"{self.host}:{self.ports[1]}"
        return {
            "fs.defaultFS": f"hdfs://{name}",
            "hadoop.tmp.dir": str(self.directory / "tmp"),
            # Tests act as others.
            "hadoop.proxyuser.carrier.hosts": "*",
            "hadoop.proxyuser.carrier.groups": "*",
            "hadoop.proxyuser.carrier.users": "*",
            # As HttpFS does for everybody (httpfs.py).
            "hadoop.proxyuser.gateway.hosts": "*",
            "hadoop.proxyuser.gateway.groups": "*",
            "hadoop.proxyuser.gateway.users": "*",
        }

    def hdfs(self):
        site = {
            "dfs.replication": str(self.datanodes),
            # Pages as small as a test can afford to fill.
            "dfs.ls.limit": "100",
            "dfs.namenode.fs-limits.min-block-size": "512",
            "dfs.namenode.safemode.extension": "0",
            "dfs.heartbeat.interval": "1",
            "dfs.namenode.name.dir.restore": "false",
        }
        if self.keystore:
            site["dfs.http.policy"] = "HTTPS_ONLY"
        if not self.pair:
            site[f"dfs.namenode.{self.scheme}-address"] = f"{self.host}:{self.ports[0]}"
            site["dfs.namenode.rpc-address"] = f"{self.host}:{self.ports[1]}"
            site["dfs.namenode.name.dir"] = f"file://{self.directory}/name-1"
            return site
        site["dfs.nameservices"] = NAMESERVICE
        site[f"dfs.ha.namenodes.{NAMESERVICE}"] = "nn1,nn2"
        site["dfs.namenode.shared.edits.dir"] = f"file://{self.directory}/shared"
        site["dfs.ha.fencing.methods"] = "shell(true)"
        site[f"dfs.client.failover.proxy.provider.{NAMESERVICE}"] = FAILOVER
        for number in (1, 2):
            of = f"{NAMESERVICE}.nn{number}"
            site[f"dfs.namenode.{self.scheme}-address.{of}"] = f"{self.host}:{self.ports[2 * number - 2]}"
            site[f"dfs.namenode.rpc-address.{of}"] = f"{self.host}:{self.ports[2 * number - 1]}"
            site[f"dfs.namenode.name.dir.{of}"] = f"file://{self.directory}/name-{number}"
        return site

    def java(self, main, *arguments):
        return ["java", *self.jvm, "-cp", self.classpath, main, *arguments]

    def run(self, main, *arguments):
        command = self.java(main, *arguments)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"{main} failed:\n{done.stderr[-4000:]}")

    def start(self, name, main, *arguments):
        """Starts a server by a script, which tests use to start it again."""
        script = self.directory / f"{name}.sh"
        line = shlex.join(self.java(main, *arguments))
        script.write_text(f"#!/bin/sh\nexec {line}\n")
        script.chmod(0o755)
        log = (self.directory / f"{name}.log").open("wb")
        child = subprocess.Popen([str(script)], stdout=log, stderr=log)
        (self.directory / f"{name}.pid").write_text(f"{child.pid}\n")
        return child

    def namenode(self, number):
        return self.start(f"namenode-{number}", NAMENODE, *self.identity(number))

    def identity(self, number):
        return [f"-Ddfs.ha.namenode.id=nn{number}"] if self.pair else []

    def datanode(self, number):
        data = self.directory / f"data-{number}"
        return self.start(
            f"datanode-{number}",
            DATANODE,
            f"-Ddfs.datanode.data.dir=file://{data}",
            # Redirects name a DataNode by this; two of them must not have the same.
            f"-Ddfs.datanode.hostname={HOSTS[number - 1]}",
            *(f"-Ddfs.datanode.{name}=127.0.0.1:0" for name in DATANODE_ADDRESSES),
        )

    def up(self):
        self.write()
        children = {}
        self.run(NAMENODE, *self.identity(1), "-format", "-force")
        children["namenode-1"] = self.namenode(1)
        for number in range(1, self.datanodes + 1):
            children[f"datanode-{number}"] = self.datanode(number)
        if self.pair:
            self.wait_for(children, lambda: self.ask(0) is not None)
            self.run(NAMENODE, *self.identity(2), "-bootstrapStandby", "-force")
            children["namenode-2"] = self.namenode(2)
            self.wait_for(children, lambda: self.ask(2) is not None)
            self.run(HA_ADMIN, "-ns", NAMESERVICE, "-transitionToActive", "nn1")
        self.wait_for(children, lambda: self.ask(0) == self.datanodes)
        (self.directory / "state").write_text("ready\n")
        # A DataNode may end by a test's hand; the cluster ends with its NameNode.
        children["namenode-1"].wait()

    def ask(self, port):
        """How many DataNodes a NameNode knows, once it answers and is out of safe mode."""
        query = "qry=Hadoop:service=NameNode,name=FSNamesystemState"
        try:
            url = f"{self.scheme}://{self.host}:{self.ports[port]}/jmx?{query}"
            with urllib.request.urlopen(url, timeout=5, context=self.trust()) as answer:
                bean = json.load(answer)["beans"][0]
        except (OSError, LookupError, ValueError):
            return None
        return bean["NumLiveDataNodes"] if bean["FSState"] == "Operational" or self.pair else None

    def trust(self):
        if not self.keystore:
            return None
        return ssl.create_default_context(cafile=self.keystore.with_name("authority.pem"))

    def wait_for(self, children, ready):
        deadline = time.monotonic() + 80
        while not ready():
            for name, child in children.items():
                if child.poll() is not None:
                    log = (self.directory / f"{name}.log").read_text(errors="replace")
                    sys.exit(f"{name} ended with {child.returncode}:\n{log[-4000:]}")
            if time.monotonic() > deadline:
                sys.exit("the cluster is not ready after 80 s")
            time.sleep(0.1)


NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
FAILOVER = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
HA_ADMIN = "org.apache.hadoop.hdfs.tools.DFSHAAdmin"


def write_site(path, settings):
    rows = "".join(
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in settings.items()
    )
    path.write_text(f"<configuration>\n{rows}</configuration>\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("jars")
    parser.add_argument("--ports", required=True)
    parser.add_argument("--datanodes", type=int, default=1, choices=(1, 2))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--keystore")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--jvm", default="")
    Cluster(parser.parse_args()).up()


if __name__ == "__main__":
    main()
