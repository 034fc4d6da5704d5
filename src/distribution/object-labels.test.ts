import { describe, expect, it } from "vitest";
import { labelsOf, repositoryOfLabel } from "./object-labels.ts";

describe("labels of content", () => {
  it("are derived from what the object is", () => {
    const source = {
      repository: "app:web",
      tag: "v1",
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.oci.image.config.v1+json",
    };
    expect(labelsOf(source)).toEqual({
      "content.entrepot.dev/repository": "app..web",
      "content.entrepot.dev/tag": "v1",
      "content.entrepot.dev/media-type": "application.vnd.oci.image.manifest.v1.json",
      "content.entrepot.dev/artifact-type": "application.vnd.oci.image.config.v1.json",
    });
  });

  it.each([
    ["a tag that begins with an underscore", { repository: "app", tag: "_v1" }],
    ["a tag of 64 characters", { repository: "app", tag: "a".repeat(64) }],
    ["a long media type", { repository: "app", mediaType: `application/${"a".repeat(60)}` }],
    ["a media type that ends oddly", { repository: "app", mediaType: "application/x+" }],
    ["no artifact type", { repository: "app", artifactType: null }],
    ["an empty artifact type", { repository: "app", artifactType: "" }],
  ])("leave out %s", (_, source) => {
    expect(labelsOf(source)).toEqual({ "content.entrepot.dev/repository": "app" });
  });

  it("leave out a long repository", () => {
    expect(labelsOf({ repository: "a".repeat(64) })).toEqual({});
  });

  it.each(["app", "app:web", "a.b:c", "default:a:b"])("lead back from the label of %s", (name) => {
    const label = labelsOf({ repository: name })["content.entrepot.dev/repository"] ?? "";
    expect(repositoryOfLabel(label)).toBe(name);
  });
});
