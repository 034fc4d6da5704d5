import { afterAll, beforeAll } from "vitest";
import { type ClientHome, createClientHome } from "./client-home.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";

/** A running server and a place for its clients. */
export interface ClientFixture {
  readonly server: Server;
  readonly home: ClientHome;
}

/** One server and one home for all tests of a file; the fields may be read inside tests and hooks only. */
export function useServer(options: ServerOptions = {}): ClientFixture {
  let server: Server | undefined;
  let home: ClientHome | undefined;
  beforeAll(async () => {
    home = createClientHome();
    server = await startServer(options);
  });
  afterAll(async () => {
    await server?.stop();
    home?.remove();
  });
  return {
    get server() {
      if (server === undefined) throw new Error("the server is not started yet");
      return server;
    },
    get home() {
      if (home === undefined) throw new Error("the home is not made yet");
      return home;
    },
  };
}
