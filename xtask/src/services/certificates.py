"""Writes an authority's certificate, and a server's and a client's with their keys, as PEM files.

The server's is there for Java too: `server.p12`, with what opens it in `server.password`.
"""

import datetime
import ipaddress
import os
import pathlib
import secrets
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def start(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )


def key_usage(authority):
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def authority(key):
    return (
        start("mlfetch test authority", "mlfetch test authority", key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def leaf(subject, purpose, key, issuer_key):
    issuer_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    return (
        start(subject, "mlfetch test authority", key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(issuer_identifier, critical=False)
        .add_extension(names, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def pem(certificate, key=None):
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        text += key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    return text


def keystore(certificate, key, issuer, password):
    encryption = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"server", key, certificate, [issuer], encryption)


def main(directory):
    os.umask(0o077)
    issuer_key, server_key, client_key = (
        ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
    )
    server = leaf("localhost", ExtendedKeyUsageOID.SERVER_AUTH, server_key, issuer_key)
    client = leaf("mlfetch test client", ExtendedKeyUsageOID.CLIENT_AUTH, client_key, issuer_key)
    issuer, password = authority(issuer_key), secrets.token_hex(16)
    (directory / "authority.pem").write_bytes(pem(issuer))
    (directory / "server.pem").write_bytes(pem(server, server_key))
    (directory / "server.p12").write_bytes(keystore(server, server_key, issuer, password))
    (directory / "server.password").write_text(password)
    (directory / "client.pem").write_bytes(pem(client, client_key))


main(pathlib.Path(sys.argv[1]))
