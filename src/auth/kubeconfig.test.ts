import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kubeconfig } from "./kubeconfig.ts";

const CONTENT = { server: "https://registry.example.com", user: "alice", token: "ent_x" };

describe("a kubeconfig", () => {
  it("has a cluster, a context and a user", () => {
    expect(parse(kubeconfig(CONTENT))).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "entrepot", cluster: { server: "https://registry.example.com" } }],
      contexts: [{ name: "entrepot", context: { cluster: "entrepot", user: "entrepot" } }],
      "current-context": "entrepot",
      users: [{ name: "entrepot", user: { token: "ent_x" } }],
    });
  });

  it("has the certificate to trust and the namespace, if there are any", () => {
    const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const parsed = parse(kubeconfig({ ...CONTENT, ca, namespace: "team-a" })) as {
      readonly clusters: readonly { readonly cluster: Record<string, string> }[];
      readonly contexts: readonly { readonly context: Record<string, string> }[];
    };
    expect(atob(parsed.clusters[0]?.cluster["certificate-authority-data"] ?? "")).toBe(ca);
    expect(parsed.contexts[0]?.context["namespace"]).toBe("team-a");
  });

  it.each(["alice\nusers: []", "a\rb: c", "é #"])("says whose key it is, and no more: %j", (user) => {
    expect(parse(kubeconfig({ ...CONTENT, user }))).toEqual(parse(kubeconfig(CONTENT)));
  });
});
