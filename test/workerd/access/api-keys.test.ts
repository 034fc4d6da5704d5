import { describe, expect, it } from "vitest";
import { newApiKey, parseApiKey } from "../../../src/access/index.ts";
import { bindings } from "../bindings.ts";
import { databaseText } from "../secret-fixture.ts";
import { accountPlatform, basic, bearer, IAM_PATH, ROOT } from "./account-fixture.ts";

const platform = accountPlatform();
const DAY = 86_400;
let users = 0;

/** A user that no other test uses, with a key. */
async function newUser(body: object = {}) {
  users += 1;
  const name = `user${users}`;
  await platform.make("users", "User", name);
  return { ...(await platform.key(`users/${name}`, body)), name, path: `users/${name}` };
}

const stored = (id: string) => bindings.DB.prepare("SELECT * FROM access_keys WHERE id = ?1").bind(id).first();

describe("an API key", () => {
  it("is good as a password, whatever the user name, and as a bearer token", async () => {
    const { name, token } = await newUser();
    for (const user of [name, "", "token", "someone-else"]) {
      expect(await platform.whoami(basic(user, token))).toBe(name);
    }
    expect(await platform.whoami(bearer(token))).toBe(name);
    expect((await platform.identity(bearer(token))).credential).toMatchObject({
      type: "api-key",
      id: token.slice(4, 16),
    });
  });

  it("is stored as a hash only", async () => {
    const { id, token } = await newUser();
    expect(await databaseText()).not.toContain(token.slice(17));
    expect((await stored(id))?.["hash"]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is refused once it has expired", async () => {
    const { name, token } = await newUser({ expiresInSeconds: 60 });
    expect(await platform.whoami(bearer(token))).toBe(name);
    platform.time.now += 59_999;
    expect(await platform.whoami(bearer(token))).toBe(name);
    platform.time.now += 1;
    expect(await platform.whoami(bearer(token))).toBe("api-key.expired");
  });

  it("is refused at once when it is revoked, also where it was remembered", async () => {
    const { name, path, id, token } = await newUser();
    expect(await platform.whoami(bearer(token))).toBe(name);
    expect((await platform.api(ROOT, "DELETE", `${IAM_PATH}/${path}/tokens/${id}`)).status).toBe(200);
    expect(await platform.whoami(bearer(token))).toBe("api-key.revoked");
    expect(await platform.whoami(basic(name, token))).toBe("api-key.revoked");
  });

  it("is refused while the account is disabled", async () => {
    const { name, path, token } = await newUser();
    const disable = (disabled: boolean) =>
      platform.api(ROOT, "PATCH", `${IAM_PATH}/${path}`, { spec: { disabled } }, "application/merge-patch+json");
    await disable(true);
    expect(await platform.whoami(bearer(token))).toBe("disabled account");
    await disable(false);
    expect(await platform.whoami(bearer(token))).toBe(name);
  });

  it("does not outlive its account, nor is it inherited by another one of the name", async () => {
    const { name, path, id, token } = await newUser();
    await platform.api(ROOT, "DELETE", `${IAM_PATH}/${path}`);
    expect(await platform.whoami(bearer(token))).toBe("api-key.unknown");
    expect(await stored(id)).toBeNull();
    await platform.make("users", "User", name);
    expect(await platform.whoami(bearer(token))).toBe("api-key.unknown");
  });

  it("that a deletion left behind is refused, and is not inherited either", async () => {
    const { name, path, token } = await newUser();
    const { results } = await bindings.DB.prepare("SELECT * FROM access_keys WHERE identity = ?1").bind(name).all();
    await platform.api(ROOT, "DELETE", `${IAM_PATH}/${path}`);
    const row = results[0] ?? {};
    const columns = Object.keys(row);
    await bindings.DB.prepare(
      `INSERT INTO access_keys (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    )
      .bind(...Object.values(row))
      .run();
    expect(await platform.whoami(bearer(token))).toBe("unknown account");
    await platform.make("users", "User", name);
    expect(await platform.whoami(bearer(token))).toBe("api-key.unknown");
  });

  describe("that is wrong is refused:", () => {
    it.each([
      ["a secret with a letter changed", (token: string) => changed(token, 30), "api-key.wrong-secret"],
      ["an id with a letter changed", (token: string) => changed(token, 5), "api-key.unknown"],
      ["a key cut short", (token: string) => token.slice(0, -1), "api-key.malformed"],
      ["the id alone", (token: string) => token.slice(0, 16), "api-key.malformed"],
      ["the prefix alone", () => "ent_", "api-key.malformed"],
      ["another case", (token: string) => `ent_${token.slice(4).toUpperCase()}`, "api-key.malformed"],
      ["a key that was never made", () => newApiKey().text, "api-key.unknown"],
      ["letters that are not ASCII", (token: string) => `${token.slice(0, -1)}é`, "api-key.malformed"],
      ["SQL", () => "ent_' OR '1'='1", "api-key.malformed"],
      ["a long text", () => `ent_${"a".repeat(8000)}`, "api-key.malformed"],
    ])("%s", async (_what, wrong, detail) => {
      const { token } = await newUser();
      expect(await platform.whoami(basic("anyone", wrong(token)))).toBe(detail);
    });

    it("the hash of a key", async () => {
      const { id } = await newUser();
      const hash = String((await stored(id))?.["hash"]);
      expect(await platform.whoami(basic("x", `ent_${id}_${hash.slice(0, 43)}`))).toBe("api-key.wrong-secret");
    });

    it("the secret of another key of the same account", async () => {
      const { path, token } = await newUser();
      const other = await platform.key(path);
      const mixed = `${token.slice(0, 17)}${other.token.slice(17)}`;
      expect(parseApiKey(mixed)).toBeDefined();
      expect(await platform.whoami(bearer(mixed))).toBe("api-key.wrong-secret");
    });
  });

  it("is noted as used, once a minute and not in the way of the request", async () => {
    const other = accountPlatform();
    await other.make("users", "User", "used");
    const { id, token } = await other.key("users/used");
    const used = async () => (await stored(id))?.["last_used_at"];
    const since = other.time.now;
    await other.whoami(bearer(token));
    await other.settle();
    expect(await used()).toBe(since);
    other.time.now += 30_000;
    await other.whoami(basic("a", token));
    await other.settle();
    expect(await used()).toBe(since);
    other.time.now += 30_000;
    await other.whoami(basic("b", token));
    await other.settle();
    expect(await used()).toBe(since + 60_000);
    await other.whoami(basic("c", changed(token, 30)));
    await other.settle();
    expect(await used()).toBe(since + 60_000);
  });
});

describe("rotating", () => {
  const rotate = (path: string, id: string, body?: object) =>
    platform.api(ROOT, "POST", `${IAM_PATH}/${path}/tokens/${id}/rotate`, body);

  it("revokes the old key at once", async () => {
    const { name, path, id, token } = await newUser({ name: "deploy" });
    const { status, body } = await rotate(path, id);
    expect(status).toBe(201);
    const { id: next, token: text, name: label } = body as Record<string, string>;
    expect(label).toBe("deploy");
    expect(await platform.whoami(bearer(token))).toBe("api-key.revoked");
    expect(await platform.whoami(bearer(text ?? ""))).toBe(name);
    expect((await stored(next ?? ""))?.["replaces"]).toBe(id);
    expect((await rotate(path, id)).status).toBe(409);
  });

  it("leaves the old key good for an overlap, but no longer than it was", async () => {
    const { name, path, id, token } = await newUser();
    const short = await platform.key(path, { expiresInSeconds: 60 });
    await rotate(path, id, { overlapSeconds: 3600 });
    await rotate(path, short.id, { overlapSeconds: 3600 });
    platform.time.now += 60_000;
    expect(await platform.whoami(bearer(token))).toBe(name);
    expect(await platform.whoami(bearer(short.token))).toBe("api-key.expired");
    platform.time.now += 3_540_000;
    expect(await platform.whoami(bearer(token))).toBe("api-key.expired");
  });

  it("gives a key with an end as long a life again", async () => {
    const { path, id } = await newUser({ expiresInSeconds: 600 });
    platform.time.now += 300_000;
    const { body } = await rotate(path, id);
    expect(Date.parse((body as { readonly expiresAt: string }).expiresAt)).toBe(platform.time.now + 600_000);
  });

  it("of a key of another account, of a wrong one or of an expired one is refused", async () => {
    const mine = await newUser({ expiresInSeconds: 60 });
    const theirs = await newUser();
    expect((await rotate(mine.path, theirs.id)).status).toBe(404);
    expect((await rotate(mine.path, "nothing")).status).toBe(404);
    platform.time.now += 60_000;
    expect((await rotate(mine.path, mine.id)).status).toBe(409);
    expect(await platform.whoami(bearer(theirs.token))).toBe(theirs.name);
  });

  it("twice at the same time makes one key", async () => {
    const { path, id } = await newUser();
    const answers = await Promise.all([rotate(path, id), rotate(path, id), rotate(path, id)]);
    expect(answers.map(({ status }) => String(status)).sort()).toEqual(["201", "409", "409"]);
  });
});

describe("pruning", () => {
  it("forgets keys that were revoked or expired before", async () => {
    const { name, path, id } = await newUser();
    const expired = await platform.key(path, { expiresInSeconds: 60 });
    const good = await platform.key(path, { expiresInSeconds: 30 * DAY });
    const forever = await platform.key(path);
    await platform.keys.revoke(name, id);
    platform.time.now += DAY * 1000;
    expect(await platform.keys.prune(platform.time.now - 2 * DAY * 1000, 100)).toBe(0);
    expect(await platform.keys.prune(platform.time.now, 1)).toBe(1);
    while ((await platform.keys.prune(platform.time.now, 100)) > 0);
    const left = await platform.keys.of(name, 10);
    expect(left.map((key) => key.id).sort()).toEqual([good.id, forever.id].sort());
    expect(await stored(expired.id)).toBeNull();
  });
});

function changed(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === "b" ? "c" : "b"}${text.slice(at + 1)}`;
}
