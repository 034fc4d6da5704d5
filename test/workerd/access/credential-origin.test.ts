import { hashSync } from "bcryptjs";
import { describe, expect, it } from "vitest";
import { repositoryAccess } from "../../../src/access/index.ts";
import { accountPlatform, basic, bearer, type Caller, IAM_PATH, ROOT } from "./account-fixture.ts";

const PASSWORD = "the password of the file";
const entry = hashSync(PASSWORD, 4);
const NAMES = ["dora", "dave", "dina", "dirk", "dolf"] as const;
const platform = accountPlatform({ users: NAMES.map((name) => `${name}:${entry}`).join("\n") });

/** Someone of that name who signed in by an identity provider, with a User of theirs. */
async function named(name: (typeof NAMES)[number]): Promise<Caller> {
  await platform.make("users", "User", name);
  return { name, type: "session", issuer: "corp" };
}

/** Whether a credential has what `HTPASSWD_ROLE` gives. */
async function mayPush(authorization: string): Promise<boolean> {
  const { policy } = await platform.identity(authorization);
  return policy.decide(repositoryAccess("push", "team-a/app")).allowed;
}

async function makeKey(as: Caller | string, name: string): Promise<{ readonly id: string; readonly token: string }> {
  const made = await platform.api(as, "POST", `${IAM_PATH}/users/${name}/tokens`, {});
  expect(made.status, made.text).toBe(201);
  return made.body as { readonly id: string; readonly token: string };
}

describe("the role of HTPASSWD", () => {
  it("is for who signed in by that password, and for the keys that they and administrators make", async () => {
    await platform.make("users", "User", "dina");
    const password = basic("dina", PASSWORD);
    expect(await mayPush(password)).toBe(true);
    for (const as of [password, ROOT]) expect(await mayPush(bearer((await makeKey(as, "dina")).token))).toBe(true);
  });

  it("is not for whom an issuer named, nor for any key that they make", async () => {
    const dora = await named("dora");
    const { token, id } = await makeKey(dora, "dora");
    expect(await mayPush(bearer(token))).toBe(false);
    const second = await makeKey(bearer(token), "dora");
    expect(await mayPush(bearer(second.token))).toBe(false);
    const config = await (await platform.kubeconfig(dora)).text();
    expect(await mayPush(bearer(/token: (ent_\S+)/.exec(config)?.[1] ?? ""))).toBe(false);
    const rotated = await platform.api(ROOT, "POST", `${IAM_PATH}/users/dora/tokens/${id}/rotate`, {});
    expect(await mayPush(bearer((rotated.body as { readonly token: string }).token))).toBe(false);
  });

  it("is not had by rotating a key that was made of the password", async () => {
    const dave = await named("dave");
    const { id, token } = await makeKey(basic("dave", PASSWORD), "dave");
    expect(await mayPush(bearer(token))).toBe(true);
    const rotated = await platform.api(dave, "POST", `${IAM_PATH}/users/dave/tokens/${id}/rotate`, {});
    expect(rotated.status).toBe(201);
    expect(await mayPush(bearer((rotated.body as { readonly token: string }).token))).toBe(false);
  });

  it("is not had by setting a password for oneself", async () => {
    const dirk = await named("dirk");
    const rules = [{ apiGroups: ["iam.entrepot.dev"], resources: ["users"], verbs: ["get", "update", "patch"] }];
    await platform.make("clusterroles", "ClusterRole", "user-editor", { rules });
    await platform.make("clusterrolebindings", "ClusterRoleBinding", "user-editors", {
      roleRef: { kind: "ClusterRole", name: "user-editor" },
      subjects: [{ kind: "User", name: "dirk" }],
    });
    const set = (as: Caller | string) =>
      platform.api(
        as,
        "PATCH",
        `${IAM_PATH}/users/dirk`,
        { spec: { password: "another password" } },
        "application/merge-patch+json",
      );
    expect((await set(dirk)).status).toBe(403);
    expect((await set(basic("dirk", PASSWORD))).status).toBe(200);
  });

  it("is noted with the key, and shown", async () => {
    const dolf = await named("dolf");
    await makeKey(dolf, "dolf");
    const listed = await platform.api(ROOT, "GET", `${IAM_PATH}/users/dolf/tokens`);
    expect(listed.body).toMatchObject({ items: [{ createdBy: "dolf", issuer: "corp" }] });
  });
});
