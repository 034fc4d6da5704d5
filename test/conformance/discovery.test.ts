import { catalogTests, tagListTests } from "./listings.ts";
import { referrerTests } from "./referrers.ts";
import { useRegistry } from "./registry-fixture.ts";

const { registry } = useRegistry();

tagListTests(registry);
catalogTests(registry);
referrerTests(registry);
