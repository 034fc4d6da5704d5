import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import type { Finished } from "../../support/command.ts";
import { PASSWORDS } from "../../support/access-world.ts";
import { type KubectlProgram, kubectlPrograms } from "./programs.ts";

const ACCOUNTS = `
apiVersion: v1
kind: Namespace
metadata: { name: team-a }
---
apiVersion: v1
kind: Namespace
metadata: { name: team-b }
---
apiVersion: iam.entrepot.dev/v1
kind: User
metadata: { name: alice }
spec: { password: ${JSON.stringify(PASSWORDS.alice)} }
---
apiVersion: iam.entrepot.dev/v1
kind: ServiceAccount
metadata: { name: ci, namespace: team-a }
`;

const ROLES = `
apiVersion: iam.entrepot.dev/v1
kind: Role
metadata: { name: app-readers, namespace: team-a }
spec:
  rules:
    - apiGroups: [content.entrepot.dev]
      resources: [repositories, tags]
      resourceNames: [app]
      verbs: [get, list]
---
apiVersion: iam.entrepot.dev/v1
kind: RoleBinding
metadata: { name: robots, namespace: team-a }
spec:
  roleRef: { kind: ClusterRole, name: pusher }
  subjects: [{ kind: ServiceAccount, name: ci, namespace: team-a }]
`;

/** Kubernetes 1.27 is the first whose kubectl has `auth whoami`. */
const WHOAMI_MINOR = 27;

describe.each(kubectlPrograms())("$name over TLS", (kubectl) => {
  const at = useServer({ args: ["--tls"], env: { ADMIN_PASSWORD: PASSWORDS.admin } });
  const certificate = (): string => path.join(at.server.data, "tls", "cert.pem");
  const curl = async (credential: string, method: string, target: string): Promise<string> => {
    const options = ["--silent", "--fail", "--cacert", certificate(), "--user", credential, "--request", method];
    return (await at.home.run("curl", [...options, `${at.server.url}${target}`])).stdout;
  };
  const attempt = (who: string, ...args: readonly string[]): Promise<Finished> =>
    at.home.attempt(kubectl.program, ["--kubeconfig", at.home.path(`${who}.kubeconfig`), ...args]);
  const run = async (who: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await attempt(who, ...args);
    expect(code, stderr).toBe(0);
    return stdout.trimEnd();
  };
  const apply = (who: string, name: string, text: string): Promise<string> => {
    writeFileSync(at.home.path(name), text);
    return run(who, "apply", "--filename", at.home.path(name));
  };
  /** Runs what must be forbidden. */
  const forbidden = async (who: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await attempt(who, ...args);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/forbidden/i);
  };
  let token = "";

  beforeAll(async () => {
    const kubeconfig = await curl(`admin:${PASSWORDS.admin}`, "POST", "/auth/kubeconfig");
    writeFileSync(at.home.path("admin.kubeconfig"), kubeconfig, { mode: 0o600 });
    await apply("admin", "accounts.yaml", ACCOUNTS);
    const created = await attemptRaw(kubectl);
    token = (JSON.parse(created) as { readonly token: string }).token;
    const robot = await curl(`ci:${token}`, "POST", "/auth/kubeconfig");
    writeFileSync(at.home.path("robot.kubeconfig"), robot, { mode: 0o600 });
    const alice = await curl(`alice:${PASSWORDS.alice}`, "POST", "/auth/kubeconfig");
    writeFileSync(at.home.path("alice.kubeconfig"), alice, { mode: 0o600 });
    await apply("admin", "roles.yaml", ROLES);
  });

  const attemptRaw = async ({ program }: KubectlProgram): Promise<string> => {
    const body = at.home.path("token.json");
    writeFileSync(body, JSON.stringify({ name: "ci" }));
    const target = "/apis/iam.entrepot.dev/v1/namespaces/team-a/serviceaccounts/ci/tokens";
    const raw = ["create", "--raw", target, "--filename", body];
    const { stdout } = await at.home.run(program, ["--kubeconfig", at.home.path("admin.kubeconfig"), ...raw]);
    return stdout;
  };

  test("makes a key that is good as a docker password", async () => {
    expect(token).toMatch(/^ent_[a-z2-7]{12}_[\w-]{43}$/);
    expect(await curl(`ci:${token}`, "GET", "/v2/")).toBe("{}");
  });

  test("gets users, and does not get their passwords", async () => {
    const table = await run("admin", "get", "users");
    expect(table.split("\n").map((line) => line.split(/ +/)[0])).toEqual(["NAME", "admin", "alice"]);
    expect(await run("admin", "get", "users", "--output=yaml")).not.toContain(PASSWORDS.alice);
  });

  test("applies again what is there already", async () => {
    expect((await apply("admin", "roles.yaml", ROLES)).split("\n")).toEqual([
      "role.iam.entrepot.dev/app-readers unchanged",
      "rolebinding.iam.entrepot.dev/robots unchanged",
    ]);
    expect(await run("admin", "get", "roles,rolebindings", "-n", "team-a")).toMatch(/app-readers[^]*robots/);
    expect(await run("admin", "get", "clusterroles", "--output=name")).toContain("/pusher");
  });

  test.each([
    ["admin", ["delete", "users"], "yes"],
    ["admin", ["*", "*"], "yes"],
    ["robot", ["push", "repositories.content.entrepot.dev", "-n", "team-a"], "yes"],
    ["robot", ["push", "repositories.content.entrepot.dev", "-n", "team-b"], "no"],
    ["robot", ["list", "users.iam.entrepot.dev"], "no"],
    ["robot", ["create", "rolebindings.iam.entrepot.dev", "-n", "team-a"], "no"],
    ["alice", ["list", "auditevents.audit.entrepot.dev"], "no"],
  ])("says to %s whether they can %j: %s", async (who, question, expected) => {
    const { stdout } = await attempt(who, "auth", "can-i", ...question);
    expect(stdout.trim().split("\n").at(-1)).toMatch(new RegExp(`^${expected}\\b`));
  });

  if (kubectl.minor >= WHOAMI_MINOR) {
    test("says who one is", async () => {
      expect(await run("admin", "auth", "whoami")).toMatch(/Username +admin[^]*system:masters/);
      expect(await run("robot", "auth", "whoami")).toMatch(/Username +system:serviceaccount:team-a:ci/);
    });
  } else {
    test("says who one is, asked by hand", async () => {
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      writeFileSync(at.home.path("review.json"), JSON.stringify(review));
      const raw = ["create", "--raw", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "-f"];
      const answer = await run("robot", ...raw, at.home.path("review.json"));
      expect(JSON.parse(answer)).toMatchObject({
        status: { userInfo: { username: "system:serviceaccount:team-a:ci" } },
      });
    });
  }

  test("is told what a robot may not do", async () => {
    await forbidden("robot", "get", "users");
    await forbidden("robot", "get", "auditevents");
    await forbidden("robot", "get", "repositories", "-n", "team-b");
    await forbidden("robot", "delete", "rolebinding", "robots", "-n", "team-a");
    await forbidden(
      "robot",
      "create",
      "--raw",
      "/apis/iam.entrepot.dev/v1/users/admin/tokens",
      "-f",
      at.home.path("token.json"),
    );
    await run("robot", "get", "repositories", "-n", "team-a");
  });

  test("does not let a robot give itself more", async () => {
    writeFileSync(
      at.home.path("more.yaml"),
      ROLES.replace("name: pusher", "name: admin").replace("name: robots", "name: more"),
    );
    await forbidden("robot", "apply", "--filename", at.home.path("more.yaml"));
  });

  test("gets the events of the audit, refusals among them", async () => {
    await forbidden("alice", "get", "users");
    const listed = await run("admin", "get", "auditevents", "--output=json");
    const { items } = JSON.parse(listed) as { readonly items: readonly { readonly spec: object }[] };
    expect(items.map(({ spec }) => spec)).toContainEqual(
      expect.objectContaining({ identity: "alice", verb: "list", resource: "users", allowed: false }),
    );
    expect(await run("admin", "get", "auditevents")).toContain("alice");
    for (const secret of [token, PASSWORDS.alice, PASSWORDS.admin]) expect(listed).not.toContain(secret);
  });

  test("is refused with a key that was revoked", async () => {
    const kubeconfig = readFileSync(at.home.path("alice.kubeconfig"), "utf8");
    const id = /token: ent_([a-z2-7]{12})_/.exec(kubeconfig)?.[1] ?? "";
    await run("alice", "get", "--raw", "/apis/iam.entrepot.dev/v1/users/alice");
    await run("alice", "delete", "--raw", `/apis/iam.entrepot.dev/v1/users/alice/tokens/${id}`);
    await expect
      .poll(async () => (await attempt("alice", "get", "users", "--request-timeout=10s")).stderr, { timeout: 60_000 })
      .toMatch(/unauthorized|logged in|provide credentials/i);
  });

  test("its cookies are for https alone", async () => {
    const options = ["--silent", "--include", "--cacert", certificate(), "--header", "content-type: application/json"];
    const body = JSON.stringify({ username: "admin", password: PASSWORDS.admin });
    const answer = await at.home.run("curl", [...options, "--data", body, `${at.server.url}/auth/login`]);
    expect(answer.stdout).toMatch(
      /^set-cookie: __Host-entrepot_session=[\w-]{43}; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax\r$/im,
    );
    expect(answer.stdout).toMatch(/^strict-transport-security: max-age=31536000\r$/im);
  });
});
