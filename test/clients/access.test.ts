import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ADMIN, IAM, jsonBody, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { header, json } from "../conformance/registry-client.ts";
import { useServer } from "../support/client-fixture.ts";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { prepareClient, pushForAll, REFUSED, REGISTRY_CLIENTS, type RegistryClient } from "./client-commands.ts";

/** Longer than the default of `READ_STALENESS_MS`, in milliseconds. */
const FORGOTTEN = 1300;

/** Repositories that have something to pull. */
const PULLED = ["team-a/app", "team-a/nested/app", "team-b/app", "open/app"];

describe("on a server where each may do only something,", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin } });
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(at.server);
    await pushForAll(at.server.host, "admin", PASSWORDS.admin, PULLED);
  });

  describe.each(REGISTRY_CLIENTS)("$name", (client) => {
    let home: ClientHome;
    beforeEach(async () => {
      home = createClientHome();
      await prepareClient(home, client, at.server.host, `a push of ${client.name}`);
    });
    afterEach(() => home.remove());

    const run = (command: readonly string[]) => home.run(client.name, command);
    const login = (username: string, password: string) => run(client.login(at.server.host, username, password));
    const push = (repository: string) => client.push(at.server.host, repository);
    const pull = (repository: string) => client.pull(at.server.host, repository);
    const expectRefusal = (...commands: readonly (readonly string[])[]) => expectRefusals(home, client, commands);

    test.each([
      { who: "a robot by its key", username: "ci", password: () => world.robot.token },
      { who: "a member of a team by password", username: "bob", password: () => PASSWORDS.bob },
    ])("lets $who push where they may, and nowhere else", async ({ username, password }) => {
      await login(username, password());
      const repository = `team-a/${client.name}/app`;
      await run(push(repository));
      await run(pull(repository));
      await run(pull("open/app"));
      await expectRefusal(push(`team-b/${client.name}/app`), push("open/app"), pull("team-b/app"));
    });

    test("lets a reader pull the one repository, and push nothing", async () => {
      await login("alice", PASSWORDS.alice);
      await run(pull("team-a/app"));
      await expectRefusal(push("team-a/app"), pull("team-a/nested/app"), pull("team-b/app"));
    });

    test("pulls from a public namespace without a login, and from no other", async () => {
      await run(pull("open/app"));
      await expectRefusal(pull("team-a/app"), pull("team-a/nothing/app"), push("open/app"));
    });

    test.each([
      ["a password", "alice", `${PASSWORDS.alice}!`],
      ["a user", "mallory", PASSWORDS.alice],
      ["a key", "ci", `ent_${"a".repeat(12)}_${"A".repeat(43)}`],
    ])("refuses %s that is wrong, also where everyone may pull", async (_case, username, password) => {
      const answer = await home.attempt(client.name, client.login(at.server.host, username, password));
      if (client.checks) {
        expect(answer.code).not.toBe(0);
        expect(answer.stdout + answer.stderr).toMatch(REFUSED);
      } else {
        await expectRefusal(pull("open/app"));
      }
      await expectRefusal(pull("team-a/app"));
    });

    test("is refused with a key that was revoked, and with a password that was changed", async () => {
      const key = await world.issueKey();
      const { name } = client;
      const user = { apiVersion: "iam.entrepot.dev/v1", kind: "User", metadata: { name: `user-${name}` } };
      const created = await world.expectOk(
        "POST",
        `${IAM}/users`,
        jsonBody({ ...user, spec: { password: PASSWORDS.alice } }),
      );
      await world.expectOk(
        "POST",
        `${IAM}/namespaces/team-a/rolebindings`,
        jsonBody({
          ...user,
          kind: "RoleBinding",
          spec: {
            roleRef: { kind: "ClusterRole", name: "puller" },
            subjects: [{ kind: "User", name: `user-${name}` }],
          },
        }),
      );
      const other = createClientHome();
      try {
        await prepareClient(other, client, at.server.host, name);
        await login("ci", key.token);
        await run(pull("team-a/app"));
        await other.run(name, client.login(at.server.host, `user-${name}`, PASSWORDS.alice));
        await other.run(name, pull("team-a/app"));
        await world.expectOk("DELETE", `${IAM}/namespaces/team-a/serviceaccounts/ci/tokens/${key.id}`);
        const object = json(created) as { readonly metadata: object };
        await world.expectOk(
          "PUT",
          `${IAM}/users/user-${name}`,
          jsonBody({ ...object, spec: { password: `${PASSWORDS.alice} and more` } }),
        );
        await sleep(FORGOTTEN);
        await expectRefusal(pull("team-a/app"));
        await expectRefusals(other, client, [pull("team-a/app")]);
      } finally {
        other.remove();
      }
    });

    const { catalog } = client;
    if (catalog !== undefined) {
      test("lists to each what they may pull", async () => {
        await login("alice", PASSWORDS.alice);
        const { stdout } = await run(catalog(at.server.host));
        expect(stdout.trim().split("\n").toSorted()).toEqual(["open/app", "team-a/app"]);
      });
    }
  });

  test("a person may not see what is in the audit, and the administrator sees who was refused", async () => {
    const forbidden = await world.registry.send(
      "GET",
      "/api/v1/audit",
      header("authorization", `Bearer ${world.robot.token}`),
    );
    expect(forbidden.status).toBe(403);
    const audit = await world.registry.send("GET", "/api/v1/audit?allowed=false&namespace=team-b&verb=push", ADMIN);
    const { items } = json(audit) as { readonly items: readonly { readonly identity: string }[] };
    expect(new Set(items.map(({ identity }) => identity))).toEqual(new Set(["bob", "system:serviceaccount:team-a:ci"]));
  });
});

async function expectRefusals(
  home: ClientHome,
  client: RegistryClient,
  commands: readonly (readonly string[])[],
): Promise<void> {
  for (const command of commands) {
    const refused = await home.attempt(client.name, command);
    expect(refused.code, command.join(" ")).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(REFUSED);
  }
}
