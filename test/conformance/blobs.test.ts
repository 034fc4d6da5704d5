import { describe } from "vitest";
import { blobPullTests } from "./blob-pull.ts";
import { blobPushTests } from "./blob-push.ts";
import { mountTests } from "./mounts.ts";
import { useRegistry } from "./registry-fixture.ts";
import { uploadSessionTests } from "./upload-sessions.ts";

const { registry } = useRegistry();

// These run side by side: one of them waits ten seconds for a busy upload.
describe.concurrent("pushing blobs", () => {
  blobPushTests(registry, "sha256");
  blobPushTests(registry, "sha512");
  mountTests(registry, "sha256");
  mountTests(registry, "sha512");
  uploadSessionTests(registry);
});

blobPullTests(registry);
