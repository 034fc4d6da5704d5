"""Watches the widgets of one label with the official client until `count` events have come; prints a line for each."""

import sys

from kubernetes import client, watch

host, label, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
configuration = client.Configuration()
configuration.host = host
custom = client.CustomObjectsApi(client.ApiClient(configuration))
watcher = watch.Watch()
seen = 0
lists = custom.list_namespaced_custom_object
for event in watcher.stream(lists, "example.org", "v1", "team", "widgets", label_selector=f"client={label}"):
    if event is None:
        raise SystemExit("an empty line came between events")
    print(event["type"], event["object"]["metadata"]["name"], flush=True)
    seen += 1
    if seen == count:
        watcher.stop()
