import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClientHome } from "../../support/client-home.ts";
import { type Layout, writeLayout } from "../../support/oci-layout.ts";
import { pushLayout } from "../../support/skopeo.ts";
import { useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";

const REPOSITORIES = ["nginx", "default/nginx", "team-b/app", "team-b/app/web"];

describe.each(kubectlPrograms())("$name: content", (program) => {
  const kubectl = useKubectl(program);
  const pusher = createClientHome();
  afterAll(() => pusher.remove());
  let layout: Layout;
  beforeAll(async () => {
    const { host } = new URL(kubectl.url);
    layout = writeLayout(pusher.path("source"), { seed: "kubectl" });
    for (const repository of REPOSITORIES) {
      await pushLayout(pusher, layout, `${host}/${repository}:v1`);
    }
    await pushLayout(pusher, layout, `${host}/team-b/app:v2`);
  });
  const lines = (text: string): string[] => text.split("\n").map((line) => line.replaceAll(/ {2,}/g, " "));

  test("lists repositories of all namespaces, with what they hold", async () => {
    const listed = lines(await kubectl.run("get", "repositories", "-A"));
    expect(listed[0]).toBe("NAMESPACE NAME TAGS MANIFESTS SIZE PUSHED AGE");
    expect(listed.slice(1).map((line) => line.split(" ").slice(0, 4).join(" "))).toEqual([
      "default default:nginx 1 3",
      "default nginx 1 3",
      "team-b app 2 3",
      "team-b app:web 1 3",
    ]);
  });

  test("lists tags of a namespace, in pages and by selectors", async () => {
    const names = async (...args: readonly string[]): Promise<string[]> =>
      (await kubectl.run("get", "tags", "-n", "team-b", "-o", "name", ...args))
        .split("\n")
        .map((name) => name.replace("tag.content.entrepot.dev/", ""));
    const all = ["app:v1", "app:v2", "app:web:v1"];
    expect(await names()).toEqual(all);
    expect(await names("--chunk-size=1")).toEqual(all);
    expect(await names("--field-selector", "spec.repository=team-b/app")).toEqual(["app:v1", "app:v2"]);
    expect(await names("-l", "content.entrepot.dev/repository=app..web")).toEqual(["app:web:v1"]);
    const digest = ["get", "tag", "app:v1", "-n", "team-b", "-o", "jsonpath={.spec.digest}"];
    expect(await kubectl.run(...digest)).toBe(layout.index.digest);
  });

  test("deletes a tag and then a manifest, and changes nothing else", async () => {
    const removed = await kubectl.run("delete", "tag", "app:v2", "-n", "team-b");
    expect(removed).toMatch(/^tag\.content\.entrepot\.dev "app:v2" deleted/);
    const status = async (reference: string): Promise<number> =>
      (await fetch(`${kubectl.url}/v2/team-b/app/manifests/${reference}`)).status;
    expect([await status("v2"), await status("v1")]).toEqual([404, 200]);
    await kubectl.run("delete", "manifest", `app@${layout.index.digest}`, "-n", "team-b");
    expect([await status("v1"), await status(layout.index.digest)]).toEqual([404, 404]);
    const again = await kubectl.attempt(["delete", "tag", "app:v2", "-n", "team-b"]);
    expect(again.stderr).toContain('tags.content.entrepot.dev "app:v2" not found');
  });

  test("explains the kinds, and does nothing that they cannot do", async () => {
    expect(await kubectl.run("explain", "tags.spec")).toContain("Digest of the manifest.");
    const labelled = await kubectl.attempt(["label", "tag", "nginx:v1", "-n", "default", "a=b"]);
    expect(labelled.code).toBe(1);
    expect(labelled.stderr).toContain("MethodNotAllowed");
  });
});
