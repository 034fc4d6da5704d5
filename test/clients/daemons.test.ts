import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { type Layout, writeLayout } from "../support/oci-layout.ts";

const PASSWORD = "correct horse battery";

// The daemons that people run, each as root with storage that needs nothing of the kernel.
describe("daemons", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORD } });
  let layout: Layout;
  const image = (name: string): string => `${at.server.host}/daemons/${name}`;

  beforeAll(async () => {
    layout = writeLayout(at.home.path("source"), { seed: "daemons", layers: 5, layerBytes: 2_000_000 });
    const credentials = ["--dest-tls-verify=false", "--dest-creds", `admin:${PASSWORD}`];
    const source = `oci:${layout.folder}:v1`;
    await at.home.run("skopeo", [
      "--insecure-policy",
      "copy",
      "--all",
      ...credentials,
      source,
      `docker://${image("app:v1")}`,
    ]);
  });

  describe("dockerd", () => {
    let daemon: Daemon | undefined;
    const docker = async (...args: readonly string[]): Promise<string> =>
      (await at.home.run("docker", ["--host", `unix://${at.home.path("docker.sock")}`, ...args])).stdout.trim();

    beforeAll(async () => {
      const settings = {
        "data-root": at.home.path("docker"),
        "exec-root": at.home.path("docker-exec"),
        pidfile: at.home.path("docker.pid"),
        hosts: [`unix://${at.home.path("docker.sock")}`],
        bridge: "none",
        iptables: false,
        ip6tables: false,
        "storage-driver": "vfs",
      };
      const file = at.home.path("docker.json");
      writeFileSync(file, JSON.stringify(settings));
      daemon = await startDaemon("dockerd", ["--config-file", file], at.home.path("docker.sock"));
    });
    afterAll(async () => daemon?.stop());

    test("signs in, pulls, pushes what it pulled, and pulls that by its digest", async () => {
      await docker("login", "--username", "admin", "--password", PASSWORD, at.server.host);
      await docker("pull", image("app:v1"));
      await docker("tag", image("app:v1"), image("docker:v2"));
      await docker("push", image("docker:v2"));
      const digests = JSON.parse(
        await docker("image", "inspect", "--format", "{{json .RepoDigests}}", image("docker:v2")),
      );
      const pushed = (digests as string[]).find((digest) => digest.startsWith(`${image("docker")}@`)) ?? "";
      await docker("image", "rm", "--force", image("app:v1"), image("docker:v2"));
      expect(await docker("pull", pushed)).toContain("Downloaded newer image");
    });

    test("tells its user what the registry says of an image that is not there", async () => {
      await expect(docker("pull", image("absent:v1"))).rejects.toThrow(/manifest unknown|not found/);
    });

    test("is refused with a wrong password", async () => {
      const login = docker("login", "--username", "admin", "--password", "wrong password", at.server.host);
      await expect(login).rejects.toThrow(/unauthorized|401/);
    });
  });

  describe("containerd", () => {
    let daemon: Daemon | undefined;
    const ctr = async (...args: readonly string[]): Promise<string> =>
      (await at.home.run("ctr", ["--address", at.home.path("containerd.sock"), "--namespace", "test", ...args])).stdout;

    beforeAll(async () => {
      const settings = [
        "version = 2",
        `root = "${at.home.path("containerd")}"`,
        `state = "${at.home.path("containerd-state")}"`,
        `[grpc]\n  address = "${at.home.path("containerd.sock")}"`,
        `[plugins."io.containerd.internal.v1.opt"]\n  path = "${at.home.path("containerd-opt")}"`,
      ];
      const file = at.home.path("containerd.toml");
      writeFileSync(file, `${settings.join("\n")}\n`);
      const hosts = at.home.path("certs.d", at.server.host);
      mkdirSync(hosts, { recursive: true });
      writeFileSync(
        `${hosts}/hosts.toml`,
        `server = "http://${at.server.host}"\n[host."http://${at.server.host}"]\n  capabilities = ["pull", "resolve", "push"]\n`,
      );
      daemon = await startDaemon("containerd", ["--config", file], at.home.path("containerd.sock"));
    });
    afterAll(async () => daemon?.stop());

    test("pulls by its file of hosts, and pushes under another name", async () => {
      const access = ["--hosts-dir", at.home.path("certs.d"), "--user", `admin:${PASSWORD}`];
      await ctr("images", "pull", "--all-platforms", "--snapshotter", "native", ...access, image("app:v1"));
      await ctr("images", "tag", image("app:v1"), image("containerd:v1"));
      await ctr("images", "push", ...access, image("containerd:v1"));
      const raw = ["inspect", "--raw", "--tls-verify=false", "--creds", `admin:${PASSWORD}`];
      const pushed = await at.home.run("skopeo", [...raw, `docker://${image("containerd:v1")}`]);
      expect(Buffer.from(pushed.bytes).equals(layout.read(layout.index.digest))).toBe(true);
    });
  });

  describe("buildkitd", () => {
    let daemon: Daemon | undefined;
    const build = async (name: string, ...args: readonly string[]) =>
      at.home.run("buildctl", [
        "--addr",
        `unix://${at.home.path("buildkit.sock")}`,
        "build",
        "--progress",
        "plain",
        "--frontend",
        "dockerfile.v0",
        "--local",
        `context=${at.home.path("context")}`,
        "--local",
        `dockerfile=${at.home.path("context")}`,
        "--output",
        `type=image,name=${image(name)},push=true`,
        ...args,
      ]);

    beforeAll(async () => {
      mkdirSync(at.home.path("context"));
      writeFileSync(at.home.path("context", "hello"), "hello\n");
      writeFileSync(at.home.path("context", "Dockerfile"), "FROM scratch\nCOPY hello /hello\nLABEL made=by-buildkit\n");
      const auth = Buffer.from(`admin:${PASSWORD}`).toString("base64");
      mkdirSync(at.home.path(".docker"), { recursive: true });
      writeFileSync(at.home.path(".docker", "config.json"), JSON.stringify({ auths: { [at.server.host]: { auth } } }));
      const file = at.home.path("buildkit.toml");
      writeFileSync(file, `[registry."${at.server.host}"]\n  http = true\n  insecure = true\n`);
      daemon = await startDaemon(
        "buildkitd",
        [
          "--addr",
          `unix://${at.home.path("buildkit.sock")}`,
          "--root",
          at.home.path("buildkit"),
          "--config",
          file,
          "--oci-worker-snapshotter",
          "native",
          "--containerd-worker=false",
        ],
        at.home.path("buildkit.sock"),
      );
    });
    afterAll(async () => daemon?.stop());

    test("pushes what it builds", async () => {
      await build("built:v1");
      const seen = await at.home.run("skopeo", [
        "inspect",
        "--tls-verify=false",
        "--creds",
        `admin:${PASSWORD}`,
        `docker://${image("built:v1")}`,
      ]);
      expect(JSON.parse(seen.stdout)).toMatchObject({ Labels: { made: "by-buildkit" } });
    });

    test.each([
      ["an index of blobs", "oci-mediatypes=true,image-manifest=false"],
      ["an index of blobs in Docker's types", "oci-mediatypes=false,image-manifest=false"],
      ["an image manifest", "oci-mediatypes=true,image-manifest=true"],
    ])("keeps its cache here as %s, and finds it again", async (_, format) => {
      const reference = image(`cache:${format.replaceAll(/[^a-z]/g, "")}`);
      await build("cached:v1", "--export-cache", `type=registry,ref=${reference},mode=max,${format}`);
      await at.home.run("buildctl", ["--addr", `unix://${at.home.path("buildkit.sock")}`, "prune", "--all"]);
      const { stderr } = await build("cached:v2", "--import-cache", `type=registry,ref=${reference}`);
      expect(stderr).toMatch(/importing cache manifest from/);
      expect(stderr).toMatch(/CACHED/);
    });
  });
});
