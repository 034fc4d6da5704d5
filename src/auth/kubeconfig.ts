import { stringify } from "yaml";
import { restError } from "../http/index.ts";
import { type Clock, type Config } from "../platform/index.ts";
import {
  canMakeKeys,
  type Directory,
  endOfMaker,
  type Identity,
  issueApiKey,
  issuerOfMaker,
  KEY_LIFETIME,
  type KeyStore,
  MAX_ACTIVE_KEYS,
  parseServiceAccountIdentity,
  publicOrigin,
  type SettingsAccount,
} from "../access/index.ts";

/** What cluster, context and user are called in the file. */
const NAME = "entrepot";
const DEFAULT_SECONDS = 30 * 86_400;

/** What stands in a kubeconfig. */
export interface KubeconfigContent {
  /** Base address, without a slash at the end. */
  readonly server: string;
  /** Certificate to trust, in PEM. */
  readonly ca?: string | undefined;
  /** Whose token it is; for whoever reads the file. */
  readonly user: string;
  readonly token: string;
  /** Where commands that name no namespace go. */
  readonly namespace?: string | undefined;
}

/** A configuration of kubectl, as YAML. @see Kubernetes, client-go clientcmd/api/v1 Config */
export function kubeconfig({ server, ca, user, token, namespace }: KubeconfigContent): string {
  const authority = ca === undefined ? {} : { "certificate-authority-data": new TextEncoder().encode(ca).toBase64() };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: NAME, cluster: { server, ...authority } }],
    contexts: [
      { name: NAME, context: { cluster: NAME, user: NAME, ...(namespace === undefined ? {} : { namespace }) } },
    ],
    "current-context": NAME,
    users: [{ name: NAME, user: { token } }],
  };
  return `# The token is a key of ${user.replaceAll(/[^\x21-\x7e]/g, "?")}.\n${stringify(config, { lineWidth: 0 })}`;
}

/** What the handler works with. */
export interface KubeconfigPorts {
  readonly keys: KeyStore;
  readonly accounts: Pick<Directory, "account">;
  readonly clock: Clock;
  readonly config: Pick<Config, "PUBLIC_SCHEME" | "PUBLIC_CA">;
  /** What the settings give to a name: those have no object. */
  readonly settingsAccount: (name: string) => SettingsAccount | undefined;
}

/** `POST /auth/kubeconfig[?expires=<seconds>]`: makes a key for the caller and answers a kubeconfig with it. */
export function kubeconfigHandler({ keys, accounts, clock, config, settingsAccount }: KubeconfigPorts) {
  return async function handle(request: Request, identity: Identity): Promise<Response> {
    const refusal = refusalOf(identity);
    if (refusal !== undefined) return refusal;
    const isAccount =
      settingsAccount(identity.name) !== undefined || (await accounts.account(identity.name)) !== undefined;
    if (!isAccount) return restError(403, "no-account", "only a User or a ServiceAccount can have keys");
    const expiresInSeconds = parseExpires(new URL(request.url).searchParams.get("expires"));
    if (expiresInSeconds === undefined) {
      const { minimum, maximum } = KEY_LIFETIME;
      return restError(400, "invalid-expires", `expires: a whole number of seconds from ${minimum} to ${maximum}`);
    }
    const { name } = identity;
    const notAfter = endOfMaker(identity, name);
    if ((await keys.countActive(name)) >= MAX_ACTIVE_KEYS) {
      return restError(
        403,
        "too-many-keys",
        `an account may have ${MAX_ACTIVE_KEYS} keys at a time: revoke some first`,
      );
    }
    const { token } = await issueApiKey(
      { keys, clock },
      {
        identity: name,
        name: "kubeconfig",
        createdBy: name,
        expiresInSeconds,
        notAfter,
        issuer: issuerOfMaker(identity, name),
      },
    );
    const text = kubeconfig({
      server: publicOrigin(request.url, config.PUBLIC_SCHEME),
      ca: config.PUBLIC_CA,
      user: name,
      token,
      namespace: parseServiceAccountIdentity(name)?.namespace,
    });
    return new Response(text, { headers: { "content-type": "application/yaml", "cache-control": "no-store" } });
  };
}

/** A credential that is limited, or that lasts minutes, must not become one that is neither. */
function refusalOf({ credential, scope }: Identity): Response | undefined {
  if (credential.type === "none") return restError(401, "unauthenticated");
  if (scope !== undefined || !canMakeKeys(credential.type)) {
    return restError(403, "limited-credential", "sign in with a password, a session or an API key to make keys");
  }
  return undefined;
}

function parseExpires(text: string | null): number | undefined {
  if (text === null) return DEFAULT_SECONDS;
  if (!/^[0-9]{1,9}$/.test(text)) return undefined;
  const seconds = Number(text);
  return seconds >= KEY_LIFETIME.minimum && seconds <= KEY_LIFETIME.maximum ? seconds : undefined;
}
