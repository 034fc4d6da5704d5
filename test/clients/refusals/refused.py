"""Sends a request with a body a number of times, and prints the status of each answer, or that it was lost."""

import http.client
import sys
import urllib.parse

method, url, size, times, *headers = sys.argv[1:]
target = urllib.parse.urlsplit(url)
path = f"{target.path}?{target.query}" if target.query else target.path
body = b"x" * int(size)


def send():
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=dict(header.split(": ", 1) for header in headers))
        response = connection.getresponse()
        response.read()
        return response.status
    except OSError as error:
        return repr(error)
    finally:
        connection.close()


for _ in range(int(times)):
    print(send())
