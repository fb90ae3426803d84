import type { DeepvueSettings } from "../providers/deepvue/settings.ts";
import type { EkoSettings } from "../providers/eko/settings.ts";
import type { ProviderName } from "../base/provider-name.ts";
import { fingerprint } from "../secrets/fingerprint.ts";
import type { Secret } from "../secrets/secret.ts";
import type { RedisClient } from "../redis/connection.ts";
import { queuePrefix, type QueueName } from "../queues/names.ts";
import { CLOCK } from "../redis/clock.ts";
import { LuaScript } from "../redis/script.ts";
import { formatQuota } from "./parse-quota.ts";
import type { LimitSettings } from "./settings.ts";

/** What a worker runs with, by the settings' names: the quota as it is, all else as a keyed hash. */
export type WorkerPrint = Readonly<Record<string, string>>;

/** A worker that has not said for so long that it lives is forgotten, in ms. */
const FORGOTTEN_MS = 90_000;
/** With another of these, no other hash can be compared. */
const KEY_NAME = "SATYAPAN_SUBJECT_KEY";

export const PRESENT = new LuaScript(new URL("fleet.lua", import.meta.url), {
  needs: [CLOCK],
  args: { worker: "text", print: "text", forgotten_ms: "number" },
});

/** Writes that a worker of a queue lives and what it runs with. What the others that live run with. */
export async function present(
  redis: RedisClient,
  queue: QueueName,
  worker: string,
  print: WorkerPrint,
): Promise<WorkerPrint[]> {
  return await run(redis, queue, worker, JSON.stringify(print));
}

export async function sayGoodbye(redis: RedisClient, queue: QueueName, worker: string): Promise<void> {
  await run(redis, queue, worker, "");
}

/** What all workers of a queue that live run with. */
export async function readPrints(redis: RedisClient, queue: QueueName): Promise<WorkerPrint[]> {
  return await run(redis, queue, "", "");
}

async function run(redis: RedisClient, queue: QueueName, worker: string, print: string): Promise<WorkerPrint[]> {
  const keys = [`${queuePrefix(queue)}workers`];
  const prints = (await PRESENT.run(redis, keys, { worker, print, forgotten_ms: FORGOTTEN_MS })) as string[];
  return prints.map((text) => JSON.parse(text) as WorkerPrint);
}

/** What of a worker's settings all others of a credential have to have, too. */
export interface PrintedSettings extends Pick<LimitSettings, "quotas"> {
  readonly subjectKey: Secret;
  readonly eko: EkoSettings | null;
  readonly deepvue: DeepvueSettings | null;
}

/** Null: these settings do not serve the provider. */
export function printOf(settings: PrintedSettings, provider: ProviderName): WorkerPrint | null {
  const values = provider === "eko" ? ekoValues(settings) : deepvueValues(settings);
  if (values === null) return null;
  const hashed = Object.entries({ ...values, [KEY_NAME]: "" }).map(([name, value]) => [
    name,
    fingerprint(settings.subjectKey, name, value),
  ]);
  const quota = formatQuota(settings.quotas[provider]);
  return { [`${provider.toUpperCase()}_QUOTA`]: quota, ...(Object.fromEntries(hashed) as WorkerPrint) };
}

type Values = Readonly<Record<string, Secret | string>>;

function ekoValues({ eko }: PrintedSettings): Values | null {
  if (eko === null) return null;
  const { baseUrl, developerKey, accessKey, initiatorId, userCode } = eko;
  return {
    ...{ EKO_BASE_URL: baseUrl.href, EKO_DEVELOPER_KEY: developerKey, EKO_ACCESS_KEY: accessKey },
    ...{ EKO_INITIATOR_ID: initiatorId, EKO_USER_CODE: userCode },
  };
}

function deepvueValues({ deepvue }: PrintedSettings): Values | null {
  if (deepvue === null) return null;
  const { baseUrl, clientId, clientSecret } = deepvue;
  return { DEEPVUE_BASE_URL: baseUrl.href, DEEPVUE_CLIENT_ID: clientId, DEEPVUE_CLIENT_SECRET: clientSecret };
}

/** The settings in which these differ, by their names. */
export function differing(prints: readonly WorkerPrint[]): string[] {
  const names = [...new Set(prints.flatMap((print) => Object.keys(print)))].toSorted();
  const differ = names.filter((name) => new Set(prints.map((print) => print[name])).size > 1);
  return differ.includes(KEY_NAME) ? differ.filter((name) => name === KEY_NAME || name.endsWith("_QUOTA")) : differ;
}
