import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "../support/server.ts";
import { Registry } from "./registry-client.ts";

/** Settings of a server, as environment variables. */
type Settings = Readonly<Record<string, string>>;

/** A server that lives as long as the suite that asked for it. */
export interface RegistryFixture {
  readonly registry: Registry;
  /** The folder that the server keeps everything in. */
  readonly data: string;
  /** Ends the server and starts another on its data, with other settings. */
  restart(settings: Settings): Promise<void>;
}

/** Starts a server before the tests of the calling suite and stops it after them. */
export function useRegistry(settings: Settings = {}): RegistryFixture {
  const registry = new Registry();
  let data = "";
  let server: Server | undefined;
  const start = async (env: Settings): Promise<void> => {
    server = await startServer({ data, env });
    registry.connect(server.url);
  };
  const stop = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };
  beforeAll(async () => {
    data = mkdtempSync(path.join(tmpdir(), "entrepot-conformance-"));
    await start(settings);
  });
  afterAll(async () => {
    await stop();
    rmSync(data, { recursive: true, force: true });
  });
  return {
    registry,
    get data() {
      return data;
    },
    async restart(changed) {
      await stop();
      await start(changed);
    },
  };
}
