import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { basic, query, text } from "../conformance/registry-client.ts";
import { bearer, clientOf, makeWorld, PASSWORDS } from "../support/access-world.ts";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { type Server, startServer } from "../support/server.ts";
import { prepareClient, pushForAll, REFUSED, REGISTRY_CLIENTS } from "./client-commands.ts";

const PASSWORD = "the password of dora in a file";

describe("with AUTH_CHALLENGE=basic, and users in a file of htpasswd,", () => {
  let server: Server;
  let files: ClientHome;
  beforeAll(async () => {
    files = createClientHome();
    await files.run("htpasswd", ["-c", "-i", "-B", "-C", "5", "users", "dora"], { input: PASSWORD });
    server = await startServer({
      env: { ADMIN_PASSWORD: PASSWORDS.admin, AUTH_CHALLENGE: "basic", HTPASSWD_FILE: files.path("users") },
    });
    await makeWorld(server);
    await pushForAll(server.host, "admin", PASSWORDS.admin, ["open/app"]);
  });
  afterAll(async () => {
    await server.stop();
    files.remove();
  });

  test("the challenge names no token service, and tokens are taken all the same", async () => {
    const registry = clientOf(server);
    const challenged = await registry.send("GET", "/v2/team-a/app/manifests/v1");
    expect(challenged.status).toBe(401);
    expect(challenged.headers.get("www-authenticate")).toBe(`Basic realm="Entrepot"`);
    const scope = query("scope", "repository:team-a/app:pull");
    const answer = await registry.send("GET", "/auth/token", basic("dora", PASSWORD), scope);
    const { token } = JSON.parse(Buffer.from(answer.bytes).toString("utf8")) as { readonly token: string };
    expect((await registry.send("GET", "/v2/team-a/app/manifests/v1", bearer(token))).status).toBe(200);
  });

  describe.each(REGISTRY_CLIENTS)("$name", (client) => {
    let home: ClientHome;
    beforeEach(async () => {
      home = createClientHome();
      await prepareClient(home, client, server.host, client.name);
    });
    afterEach(() => home.remove());
    const run = (command: readonly string[]) => home.run(client.name, command);
    const expectRefusal = async (command: readonly string[]): Promise<void> => {
      const refused = await home.attempt(client.name, command);
      expect(refused.code, command.join(" ")).not.toBe(0);
      expect(refused.stdout + refused.stderr).toMatch(REFUSED);
    };

    test("logs in, pushes, pulls, and pulls what is public without a login", async () => {
      await run(client.pull(server.host, "open/app"));
      await expectRefusal(client.push(server.host, `basic/${client.name}/app`));
      await run(client.login(server.host, "dora", PASSWORD));
      await run(client.push(server.host, `basic/${client.name}/app`));
      await run(client.pull(server.host, `basic/${client.name}/app`));
    });

    test("is refused with a wrong password", async () => {
      const login = await home.attempt(client.name, client.login(server.host, "dora", `${PASSWORD}!`));
      if (client.checks) expect(login.stdout + login.stderr).toMatch(REFUSED);
      await expectRefusal(client.push(server.host, `basic/${client.name}/app`));
    });
  });
});

describe("a server without any credential that is told to be closed", () => {
  test("refuses everything but health, and says what to set", async () => {
    const server = await startServer({ env: { ACCESS: "closed" } });
    try {
      const registry = clientOf(server);
      for (const target of [
        "/v2/",
        "/v2/team-a/app/manifests/v1",
        "/auth/token",
        "/auth/session",
        "/api/v1/namespaces",
      ]) {
        const answer = await registry.send("GET", target);
        expect(answer.status, target).toBe(503);
        expect(Buffer.from(answer.bytes).toString("utf8"), target).toContain("ADMIN_PASSWORD");
      }
      expect((await registry.send("GET", "/healthz")).status).toBe(200);
    } finally {
      await server.stop();
    }
  });
});

test("an ADMIN_PASSWORD that would be taken for something else is refused, and not repeated", async () => {
  const password = "ent_is_how_keys_begin";
  const server = await startServer({ env: { ADMIN_PASSWORD: password } });
  try {
    for (const target of ["/healthz", "/v2/", "/auth/session", "/api/v1/namespaces"]) {
      const answer = await clientOf(server).send("GET", target);
      expect(answer.status, target).toBe(503);
      expect(text(answer), target).toContain("ADMIN_PASSWORD: must not look like an API key");
      expect(text(answer), target).not.toContain(password);
    }
  } finally {
    await server.stop();
  }
});
