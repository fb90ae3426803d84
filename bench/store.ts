import type { RedisUsage } from "./redis-usage.ts";

/** What keeps the jobs of one side: a Redis, or a database of PostgreSQL. */
export interface Store extends AsyncDisposable {
  /** For logs and the like. */
  readonly folder: string;
  /** Path of its Unix socket, or its URL. */
  readonly address: string;
  usage(): Promise<RedisUsage>;
  /** Resolves when no job is under way, with the commands that it took to know. */
  settled(): Promise<OwnCommands>;
}

/** How often the bench itself ran commands, by their names. */
export type OwnCommands = Readonly<Record<string, number>>;

/** Between two looks at a store, in ms. */
export const LOOK_MS = 1;
