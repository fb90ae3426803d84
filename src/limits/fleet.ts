import { z } from "zod";
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

/**
 * What a worker runs with, by the settings' names: the quota as it is, of the ring the keys' ids, all else as a keyed hash.
 * Empty where what stands there is none.
 */
export type WorkerPrint = Readonly<Record<string, string>>;

/** The silence after which a worker is forgotten, in ms. */
const FORGOTTEN_MS = 90_000;
/** With another of these, no other hash can be compared. */
const KEY_NAME = "SATYAPAN_SUBJECT_KEY";
/** May differ: while a key is replaced it has to. */
const RING_NAME = "SATYAPAN_ENCRYPTION_KEYS";

const Print = z.record(z.string(), z.string());

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
  return [...(await run(redis, queue, worker, JSON.stringify(print))).values()];
}

export async function sayGoodbye(redis: RedisClient, queue: QueueName, worker: string): Promise<void> {
  await run(redis, queue, worker, "");
}

/** What all workers of a queue that live run with, by their names. */
export async function readPrints(redis: RedisClient, queue: QueueName): Promise<Map<string, WorkerPrint>> {
  return await run(redis, queue, "", "");
}

/** Ids of the keys of a worker's ring, that which seals first: none where a service has them. Null: it does not say. */
export function ringIdsOf(print: WorkerPrint): readonly string[] | null {
  return print[RING_NAME]?.split(",").filter((id) => id !== "") ?? null;
}

/** Whether a worker has this SATYAPAN_SUBJECT_KEY; null: it does not say. */
export function hasSubjectKey(print: WorkerPrint, subjectKey: Secret): boolean | null {
  const said = print[KEY_NAME];
  return said === undefined ? null : said === fingerprint(subjectKey, KEY_NAME, "");
}

async function run(
  redis: RedisClient,
  queue: QueueName,
  worker: string,
  print: string,
): Promise<Map<string, WorkerPrint>> {
  const keys = [`${queuePrefix(queue)}workers`];
  const flat = (await PRESENT.run(redis, keys, { worker, print, forgotten_ms: FORGOTTEN_MS })) as string[];
  const prints = new Map<string, WorkerPrint>();
  for (let at = 0; at < flat.length; at += 2) prints.set(flat[at] ?? "", parsePrint(flat[at + 1] ?? ""));
  return prints;
}

function parsePrint(text: string): WorkerPrint {
  try {
    return Print.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** The settings that all workers of a credential have to have in common. */
export interface PrintedSettings extends Pick<LimitSettings, "quotas"> {
  readonly subjectKey: Secret;
  /** Null: a service has the keys. */
  readonly keys: { readonly ids: readonly string[] } | null;
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
  return {
    [`${provider.toUpperCase()}_QUOTA`]: quota,
    [RING_NAME]: (settings.keys?.ids ?? []).join(","),
    ...(Object.fromEntries(hashed) as WorkerPrint),
  };
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
  const said = prints.filter((print) => Object.keys(print).length > 0);
  const names = [...new Set(said.flatMap((print) => Object.keys(print)))].toSorted();
  const differ = names.filter((name) => name !== RING_NAME && new Set(said.map((print) => print[name])).size > 1);
  return differ.includes(KEY_NAME) ? differ.filter((name) => name === KEY_NAME || name.endsWith("_QUOTA")) : differ;
}
