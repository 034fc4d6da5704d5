import { describe, expect, it } from "vitest";
import { type Digest, parseDigest, parseRepositoryName, parseTag, type RepositoryName } from "../oci/index.ts";
import { manifestAt, manifestRef, repositoryAt, repositoryRef, tagAt, tagRef } from "./object-names.ts";

const HEX = "0123456789abcdef".repeat(4);

function repositoryName(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (name === undefined) throw new Error(text);
  return name;
}

function digestOf(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new Error(text);
  return digest;
}

describe("names of objects", () => {
  it.each([
    ["nginx", "default", "nginx"],
    ["default", "default", "default"],
    ["default/nginx", "default", "default:nginx"],
    ["default/library/nginx", "default", "default:library:nginx"],
    ["default/default", "default", "default:default"],
    ["team-a/app", "team-a", "app"],
    ["team-a/team-a", "team-a", "team-a"],
    ["team-a/default", "team-a", "default"],
    ["team-a/app/web", "team-a", "app:web"],
    ["team_a/a.b/c__d/e--f", "team_a", "a.b:c__d:e--f"],
  ])("%s is %s, %s", (text, namespace, name) => {
    const repository = repositoryName(text);
    expect(repositoryRef(repository)).toEqual({ namespace, name });
    expect(repositoryAt(namespace, name)).toBe(repository);
    for (const label of ["v1", "_", "1.0-RC_2", "default"]) {
      const tag = parseTag(label);
      if (tag === undefined) throw new Error(label);
      expect(tagRef(repository, tag)).toEqual({ namespace, name: `${name}:${label}` });
      expect(tagAt(namespace, `${name}:${label}`)).toEqual({ repository, tag });
    }
    for (const text of [`sha256:${HEX}`, `sha512:${HEX}${HEX}`]) {
      const digest = digestOf(text);
      expect(manifestRef(repository, digest)).toEqual({ namespace, name: `${name}@${digest}` });
      expect(manifestAt(namespace, `${name}@${digest}`)).toEqual({ repository, digest });
    }
  });

  it.each([
    ["default", "a:b"],
    ["default", "a/b"],
    ["default", "default/nginx"],
    ["default", "default:"],
    ["default", ":nginx"],
    ["team-a", ""],
    ["team-a", "a/b"],
    ["team-a", "a::b"],
    ["team-a", "App"],
    ["team-a/b", "app"],
    ["Team", "app"],
    ["", "app"],
    ["team-a", "a".repeat(300)],
  ])("%s, %s is no repository", (namespace, name) => {
    expect(repositoryAt(namespace, name)).toBeUndefined();
  });

  it.each([
    ["team-a", "app"],
    ["team-a", "app:"],
    ["team-a", ":v1"],
    ["team-a", "app:v 1"],
    ["team-a", "app:-v"],
    ["default", "a:b:v1"],
    ["team-a", `app@sha256:${HEX}`],
  ])("%s, %s is no tag", (namespace, name) => {
    expect(tagAt(namespace, name)).toBeUndefined();
  });

  it.each([
    ["team-a", "app"],
    ["team-a", "app:v1"],
    ["team-a", "app@sha256:12"],
    ["team-a", `@sha256:${HEX}`],
    ["team-a", `app@sha256:${HEX.toUpperCase()}`],
    ["team-a", `app@md5:${HEX}`],
    ["team-a", `app@sha256:${HEX}@sha256:${HEX}`],
  ])("%s, %s is no manifest", (namespace, name) => {
    expect(manifestAt(namespace, name)).toBeUndefined();
  });
});
