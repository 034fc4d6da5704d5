import { mkdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClientFixture, useServer } from "../support/client-fixture.ts";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { type Layout, writeLayout } from "../support/oci-layout.ts";

const PASSWORD = "correct horse battery";

/** How a client is told who its user is, and what it then does. */
interface Client {
  readonly name: string;
  /** The client asks the registry whether the password is right, rather than just keep it. */
  readonly checks: boolean;
  login(host: string, password: string): readonly string[];
  /** Commands that push and then pull something. */
  use(host: string, layout: Layout): readonly (readonly string[])[];
}

const ADMIN = ["--username", "admin", "--password"] as const;

const CLIENTS: readonly Client[] = [
  {
    name: "skopeo",
    checks: true,
    login: (host, password) => ["login", "--tls-verify=false", ...ADMIN, password, host],
    use: (host, { folder }) => [
      ["--insecure-policy", "copy", "--dest-tls-verify=false", `oci:${folder}:v1`, `docker://${host}/skopeo/app:v1`],
      ["inspect", "--tls-verify=false", `docker://${host}/skopeo/app:v1`],
    ],
  },
  {
    name: "crane",
    checks: false,
    login: (host, password) => ["auth", "login", ...ADMIN, password, host],
    use: (host, { folder }) => [
      ["push", "--index", folder, `${host}/crane/app:v1`],
      ["validate", "--remote", `${host}/crane/app:v1`],
    ],
  },
  {
    name: "oras",
    checks: true,
    login: (host, password) => ["login", "--plain-http", ...ADMIN, password, host],
    use: (host) => [
      ["push", "--plain-http", `${host}/oras/notes:v1`, "note.txt:text/plain"],
      ["pull", "--plain-http", `${host}/oras/notes:v1`, "--output", "pulled"],
    ],
  },
  {
    name: "regctl",
    checks: true,
    login: (host, password) => ["registry", "login", "--user", "admin", "--pass", password, host],
    use: (host, { folder }) => [
      ["image", "copy", `ocidir://${folder}:v1`, `${host}/regctl/app:v1`],
      ["tag", "ls", `${host}/regctl/app`],
    ],
  },
  {
    name: "helm",
    checks: true,
    login: (host, password) => ["registry", "login", "--plain-http", ...ADMIN, password, host],
    use: (host) => [
      ["push", "chart-1.0.0.tgz", `oci://${host}/charts`, "--plain-http"],
      ["show", "chart", `oci://${host}/charts/chart`, "--version=1.0.0", "--plain-http"],
    ],
  },
];

/** How clients say that they were not let in, or that they have nothing to say when they are asked who they are. */
const REFUSED = /unauthorized|authentication|401|invalid username\/password|credential not found/i;

describe("with a password,", () => {
  // Five clients show a wrong password several times each, and none of them is to find the account locked.
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORD, LOGIN_ATTEMPTS: "100" } });
  describe.each(CLIENTS)("$name", (client) => testLogin(at, client));
});

function testLogin(at: ClientFixture, client: Client): void {
  let home: ClientHome;
  let layout: Layout;
  beforeEach(async () => {
    home = createClientHome();
    layout = writeLayout(home.path("source"), { seed: "login" });
    writeFileSync(home.path("note.txt"), "a note\n");
    mkdirSync(home.path("chart"));
    writeFileSync(home.path("chart/Chart.yaml"), "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    if (client.name === "helm") await home.run("helm", ["package", "chart"]);
    if (client.name === "regctl")
      await home.run("regctl", ["registry", "set", at.server.host, "--tls", "disabled", "--skip-check"]);
  });
  afterEach(() => home.remove());

  const use = (): readonly (readonly string[])[] => client.use(at.server.host, layout);

  test("logs in, pushes and pulls", async () => {
    await home.run(client.name, client.login(at.server.host, PASSWORD));
    for (const command of use()) await home.run(client.name, command);
  });

  test("is refused with a wrong password", async () => {
    const login = await home.attempt(client.name, client.login(at.server.host, `${PASSWORD}!`));
    if (client.checks) expect(login.stdout + login.stderr).toMatch(REFUSED);
    for (const command of use()) await expectRefusal(command);
  });

  test("is refused without a password", async () => {
    for (const command of use()) await expectRefusal(command);
  });

  const expectRefusal = async (command: readonly string[]): Promise<void> => {
    const refused = await home.attempt(client.name, command);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(REFUSED);
  };
}
