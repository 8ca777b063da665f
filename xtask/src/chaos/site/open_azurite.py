"""Makes a container and prints a signature that lets its holder write blobs into it."""

import datetime
import os
import sys

from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

container = sys.argv[1]
service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
service.create_container(container)
now = datetime.datetime.now(datetime.timezone.utc)
signature = generate_container_sas(
    service.account_name,
    container,
    account_key=service.credential.account_key,
    permission=ContainerSasPermissions(read=True, write=True, create=True),
    expiry=now + datetime.timedelta(days=1),
)
print(signature)
