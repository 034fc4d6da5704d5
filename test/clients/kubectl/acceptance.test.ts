import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../../src/selfhost/paths.ts";
import { type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";

const EXAMPLES = path.join(ROOT, "docs/examples");

describe.each(kubectlPrograms())("$name: docs/examples", (program) => {
  const kubectl = useKubectl(program);
  const secret =
    /^ {2}value: (\S+)$/m.exec(readFileSync(path.join(EXAMPLES, "3-secure-value.yaml"), "utf8"))?.[1] ?? "";
  const forms = [
    secret,
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("hex"),
  ];
  /** Everything that a client was sent. */
  const seen: string[] = [];
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl.attempt(args);
    seen.push(stdout, stderr);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };

  test("are created in one go", async () => {
    expect(secret.length).toBeGreaterThan(16);
    const created = await run("apply", "-n", "", "-f", EXAMPLES);
    expect(created.split("\n").toSorted()).toEqual([
      "app.platform.entrepot.dev/playlist created",
      "datasource.oci.datasource.entrepot.dev/upstream created",
      "resourcedefinition.platform.entrepot.dev/bookmarks.library.example.org created",
      "securevalue.secret.entrepot.dev/registry-token created",
    ]);
    const playlist = JSON.parse(
      await run("get", "playlists.music.example.org", "morning", "-n", "team-a", "-o", "json"),
    ) as TestObject;
    expect(playlist.spec).toMatchObject({ title: "Morning", interval: "5m" });
  });

  test("can be applied again, and their kinds be used", async () => {
    await run("apply", "-n", "", "-f", EXAMPLES);
    const bookmark = {
      apiVersion: "library.example.org/v1",
      kind: "Bookmark",
      metadata: { name: "home" },
      spec: { url: "https://example.org" },
    };
    await run("apply", "-f", kubectl.file("bookmark.json", JSON.stringify(bookmark)));
    expect(await run("get", "bookmarks")).toMatch(/home +https:\/\/example\.org/);
  });

  test("show the secret nowhere: no answer, no log, no file", async () => {
    const object = await run("get", "securevalue", "registry-token", "-n", "team-a", "-o", "json");
    expect(JSON.parse(object)).toMatchObject({ status: { version: 1 } });
    for (const args of [
      ["get", "securevalues", "-A", "-o", "yaml"],
      ["get", "securevalues", "-A", "-o", "wide"],
      ["get", "securevalues", "-A", "-l", "entrepot.dev/get-history=true", "-o", "json"],
      ["describe", "securevalue", "registry-token", "-n", "team-a"],
      ["get", "--raw", "/apis/secret.entrepot.dev/v1/securevalues?watch=true&timeoutSeconds=1"],
    ]) {
      await run(...args);
    }
    // What kubectl prints at this level is every body; those of requests hold what it read from the file.
    const applied = await kubectl.attempt([
      "apply",
      "-n",
      "",
      "-f",
      path.join(EXAMPLES, "3-secure-value.yaml"),
      "-v=9",
    ]);
    seen.push(
      ...[applied.stdout, applied.stderr]
        .flatMap((text) => text.split("\n"))
        .filter((line) => line.includes("Response Body")),
    );
    expect(seen.length).toBeGreaterThan(10);
    const files = filesBelow(kubectl.data);
    expect(files.some((file) => file.endsWith(".sqlite"))).toBe(true);
    for (const form of forms) {
      expect(seen.some((text) => text.includes(form))).toBe(false);
      expect(kubectl.serverOutput()).not.toContain(form);
      expect(files.filter((file) => readFileSync(file).includes(form))).toEqual([]);
    }
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
