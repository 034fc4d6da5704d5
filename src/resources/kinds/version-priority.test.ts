import { expect, it } from "vitest";
import { byPriority } from "./version-priority.ts";

it("prefers versions as Kubernetes does", () => {
  // The order of Kubernetes, "Versions in CustomResourceDefinitions", "Version priority".
  const order = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
  expect(order.toReversed().toSorted(byPriority)).toEqual(order);
  expect(["v1beta1", "v1beta2", "v1alpha1", "v2", "v1"].toSorted(byPriority)).toEqual([
    "v2",
    "v1",
    "v1beta2",
    "v1beta1",
    "v1alpha1",
  ]);
});
