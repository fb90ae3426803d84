import type { Settings } from "../../src/config/settings.ts";
import type { Actor } from "../base/actor.ts";
import type { LazyConnections } from "../base/client-connections.ts";

/** What an operator's seat works with. */
export interface SeatDeps {
  readonly settings: Settings;
  readonly connections: LazyConnections;
  readonly actor: Actor;
}
