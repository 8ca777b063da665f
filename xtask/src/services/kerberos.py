"""Runs a Kerberos realm and an HDFS that asks for its tickets, in one directory.

    kerberos.py DIRECTORY JARS ROOT --ports HTTP,RPC,KDC

ROOT is a directory with MIT Kerberos's programs as Debian installs them (`/` where they are installed).
Below DIRECTORY:

    krb5.conf       for KRB5_CONFIG
    keytab          the keys of every principal
    alice.cache     a ticket of the user `alice`
    expired.cache   one that has expired
    skewed.cache    one of a machine whose clock is an hour wrong
    skewed-service.cache    the same, with a ticket for HDFS already
    keeper.cache    one of who may do everything in HDFS
    cluster/        what hdfs.py writes
"""

import argparse
import json
import os
import pathlib
import secrets
import struct
import subprocess
import sys
import time

import hdfs

REALM = "MLFETCH.TEST"
PRINCIPALS = ("nn/localhost", "dn/localhost", "HTTP/localhost", "alice", "bob")
KRB5 = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
 elsewhere.localhost = ELSEWHERE.TEST
[dbmodules]
 db_module_dir = {modules}
"""
KDC = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {place}/principals
  key_stash_file = {place}/stash
  acl_file = {place}/acl
  max_life = 1d
 }}
"""


class Realm:
    def __init__(self, place, root, port):
        self.place, self.port = place, port
        self.programs = [root / name for name in ("usr/sbin", "usr/bin")]
        self.libraries = [path for path in (root / "usr/lib").glob("*-linux-gnu*")]
        self.environment = dict(os.environ)
        self.environment["KRB5_CONFIG"] = str(place / "krb5.conf")
        self.environment["KRB5_KDC_PROFILE"] = str(place / "kdc.conf")
        if root != pathlib.Path("/"):
            self.environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))

    def program(self, name):
        found = [place / name for place in self.programs if (place / name).exists()]
        if not found:
            sys.exit(f"`{name}` is not among {self.programs}")
        return str(found[0])

    def run(self, *command, text=None):
        command = [self.program(command[0]), *command[1:]]
        done = subprocess.run(
            command, env=self.environment, input=text, capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def start(self):
        modules = next(iter(path / "krb5/plugins/kdb" for path in self.libraries))
        names = {"realm": REALM, "port": self.port, "place": self.place, "modules": modules}
        (self.place / "krb5.conf").write_text(KRB5.format(**names))
        (self.place / "kdc.conf").write_text(KDC.format(**names))
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", secrets.token_hex(16))
        lines = [f"addprinc -randkey {name}" for name in PRINCIPALS]
        lines += [f"ktadd -k {self.keytab} {' '.join(PRINCIPALS)}", "quit", ""]
        self.run("kadmin.local", "-r", REALM, text="\n".join(lines))
        log = (self.place / "kdc.log").open("wb")
        subprocess.Popen(
            [self.program("krb5kdc"), "-n"], env=self.environment, stdout=log, stderr=log
        )
        self.ticket("expired", "alice", "-l", "1s")
        self.ticket("alice", "alice")
        self.ticket("keeper", "nn/localhost")
        self.skew("skewed")
        self.skew("skewed-service", "HTTP/localhost")

    @property
    def keytab(self):
        return self.place / "keytab"

    def ticket(self, name, principal, *more):
        cache = f"FILE:{self.place}/{name}.cache"
        arguments = ["-k", "-t", str(self.keytab), "-c", cache, *more, principal]
        # The KDC needs a moment before it listens.
        for _ in range(50):
            command = [self.program("kinit"), *arguments]
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        sys.exit(f"kinit {principal} failed:\n{done.stderr}")

    def skew(self, name, *services):
        """A cache whose owner's clock is an hour wrong, as far as Kerberos can tell.

        A cache keeps by how much its machine's clock differed from the realm's (MIT's "ccache file format",
        tag 1), and the library sets its own right by that. Told a wrong difference, it is wrong itself.
        """
        self.ticket(name, "alice")
        path = self.place / f"{name}.cache"
        for service in services:
            self.run("kvno", "-c", f"FILE:{path}", service)
        cache = path.read_bytes()
        version, length = cache[:2], int.from_bytes(cache[2:4], "big")
        header = struct.pack(">HHii", 1, 8, 3600, 0)
        path.write_bytes(version + struct.pack(">H", len(header)) + header + cache[4 + length :])

    def settings(self):
        """What makes HDFS ask for tickets (Hadoop's "Secure Mode")."""
        site = {
            "hadoop.security.authentication": "kerberos",
            "hadoop.security.authorization": "true",
            "hadoop.http.authentication.type": "kerberos",
            "dfs.block.access.token.enable": "true",
            # A DataNode on ports above 1023 wants TLS, or this.
            "ignore.secure.ports.for.testing": "true",
            "dfs.namenode.kerberos.internal.spnego.principal": f"HTTP/localhost@{REALM}",
        }
        for side, name in (("namenode", "nn"), ("datanode", "dn")):
            site[f"dfs.{side}.kerberos.principal"] = f"{name}/localhost@{REALM}"
            site[f"dfs.{side}.keytab.file"] = str(self.keytab)
        for place in ("dfs.web", "hadoop.http"):
            site[f"{place}.authentication.kerberos.principal"] = f"HTTP/localhost@{REALM}"
            site[f"{place}.authentication.kerberos.keytab"] = str(self.keytab)
        return site


class SecureCluster(hdfs.Cluster):
    realm = None

    def ask(self, port):
        """As the plain one, showing a ticket; Debian's curl can."""
        query = "qry=Hadoop:service=NameNode,name=FSNamesystemState"
        url = f"http://localhost:{self.ports[port]}/jmx?{query}"
        environment = dict(os.environ)
        environment["KRB5_CONFIG"] = str(self.realm.place / "krb5.conf")
        environment["KRB5CCNAME"] = f"FILE:{self.realm.place}/keeper.cache"
        done = subprocess.run(
            ["curl", "--silent", "--fail", "--negotiate", "--user", ":", "--max-time", "5", url],
            env=environment,
            capture_output=True,
        )
        try:
            return json.loads(done.stdout)["beans"][0]["NumLiveDataNodes"]
        except (LookupError, ValueError):
            return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("jars")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--ports", required=True)
    options = parser.parse_args()
    http, rpc, kdc = options.ports.split(",")
    realm = Realm(options.directory.resolve(), options.root, kdc)
    realm.start()
    arguments = argparse.Namespace(
        directory=str(realm.place / "cluster"),
        jars=options.jars,
        ports=f"{http},{rpc}",
        datanodes=1,
        host="localhost",
        keystore=None,
        jvm=f"-Djava.security.krb5.conf={realm.place}/krb5.conf",
        set=[f"{name}={value}" for name, value in realm.settings().items()],
    )
    cluster = SecureCluster(arguments)
    cluster.realm = realm
    cluster.up()


main()
