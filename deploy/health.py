"""Whether the service in this container is up: its exit code says so to whoever keeps containers.

It asks as its settings say that it listens, and believes its certificate: it is the same machine.
"""

import http.client
import os
import ssl
import sys

SECONDS_MAX = 2


def main() -> int:
    """Ask once; 0 if it is up."""
    port = int(os.environ.get("TUPPENCE_PORT") or "8000")
    if os.environ.get("TUPPENCE_TLS_CERTIFICATE"):
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        asked = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS_MAX, context=trust)
    else:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
    try:
        asked.request("GET", "/healthz")
        return int(asked.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(main())
