import type { Reply } from "../reply.ts";
import { type Arrival, header } from "../route.ts";
import type { World } from "../world.ts";
import { badCredentials, gateway } from "./replies.ts";

/** `x-api-key` is the client secret (facts/deepvue §1). */
export function admit(arrival: Arrival, world: World): Reply | null {
  const [secret, id] = [header(arrival, "x-api-key"), header(arrival, "client-id")];
  if (secret === null || id === null) return gateway(403, "Not authenticated");
  const { deepvue } = world.given.credentials;
  return secret === deepvue.clientSecret && id === deepvue.clientId ? null : badCredentials;
}
