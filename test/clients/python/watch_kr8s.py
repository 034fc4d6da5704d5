"""Connects with kr8s, watches the widgets of one label until `count` events have come; prints a line for each."""

import sys

import kr8s
from kr8s.objects import new_class

host, label, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
api = kr8s.api(url=host)
new_class(kind="Widget", version="example.org/v1", namespaced=True, plural="widgets")
seen = 0
for kind, widget in api.watch("widgets.example.org", namespace="team", label_selector=f"client={label}"):
    print(kind, widget.name, flush=True)
    seen += 1
    if seen == count:
        break
