"""Makes a certificate for localhost: python3 certificate.py FOLDER. It is FOLDER/server.pem with server.key, and
FOLDER/authority.pem has signed it."""

import sys

import service

service.certificate(service.folder(sys.argv[1]))
