import { expect, it } from "vitest";
import { detectRegistryType, ecrHost, registryAddress } from "./registry-type.ts";

it.each([
  ["registry-1.docker.io", "docker-hub"],
  ["ghcr.io", "ghcr"],
  ["quay.io", "quay"],
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "ecr"],
  ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "ecr"],
  ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr"],
  ["123456789012.dkr-ecr.us-east-1.on.aws", "ecr"],
  ["public.ecr.aws", "generic"],
  ["123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", "generic"],
  ["company.azurecr.io", "acr"],
  ["europe-docker.pkg.dev", "artifact-registry"],
  ["eu.gcr.io", "artifact-registry"],
  ["registry.gitlab.com", "gitlab"],
  ["registry.example.com", "generic"],
])("%s is %s", (host, type) => {
  expect(detectRegistryType(host)).toBe(type);
});

it("reads account and region of Amazon ECR", () => {
  expect(ecrHost("123456789012.dkr.ecr.eu-west-1.amazonaws.com")).toEqual({
    account: "123456789012",
    region: "eu-west-1",
  });
});

it.each<[string, boolean, string | undefined]>([
  ["ghcr.io", false, "https://ghcr.io/"],
  ["docker.io", false, "https://registry-1.docker.io/"],
  ["https://index.docker.io/v1/", false, "https://registry-1.docker.io/"],
  ["https://r.example.com:5000/v2/", false, "https://r.example.com:5000/"],
  ["https://r.example.com/artifactory/api/docker/main", false, "https://r.example.com/artifactory/api/docker/main/"],
  ["localhost:5000", true, "http://localhost:5000/"],
  ["https://r.example.com", true, "https://r.example.com/"],
  ["http://r.example.com", false, undefined],
  ["ftp://r.example.com", true, undefined],
  ["https://user:secret@r.example.com", false, undefined],
  ["", false, undefined],
])("%j, insecure: %s", (text, insecure, expected) => {
  expect(registryAddress(text, insecure)?.href).toBe(expected);
});
