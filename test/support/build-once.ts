import { build } from "../../src/selfhost/build.ts";

/** Bundles the Worker before the first server of a test run starts, so that none of them waits for another's bundle. */
export async function setup(): Promise<void> {
  await build();
}
