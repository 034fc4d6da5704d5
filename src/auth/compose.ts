import { type KubeconfigPorts, kubeconfigHandler } from "./kubeconfig.ts";
import type { AuthServices } from "./services.ts";
import { jwksHandler, tokenHandler, type TokenHttpServices } from "./token-http.ts";

/** What the endpoints work with. */
export interface AuthPorts extends Omit<AuthServices, "tokens" | "jwks" | "kubeconfig"> {
  readonly tokenService: TokenHttpServices;
  readonly kubeconfigs: KubeconfigPorts;
}

/** Puts together what is served at `/auth` and `/.well-known`. */
export function createAuth({ tokenService, kubeconfigs, ...services }: AuthPorts): AuthServices {
  return {
    ...services,
    tokens: tokenHandler(tokenService),
    jwks: jwksHandler(tokenService),
    kubeconfig: kubeconfigHandler(kubeconfigs),
  };
}
