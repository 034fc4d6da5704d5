import { manifestPullTests } from "./manifest-pull.ts";
import { manifestPushTests } from "./manifest-push.ts";
import { useRegistry } from "./registry-fixture.ts";

const { registry } = useRegistry();

manifestPushTests(registry);
manifestPullTests(registry);
