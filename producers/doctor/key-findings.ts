import { assertWraps, type KeyChain } from "../../src/privacy/keys/key-chain.ts";
import type { StoredDataKey } from "../../src/privacy/keys/data-key-store.ts";
import { wrapContext } from "../../src/privacy/sealing/data-key.ts";
import { type LiveRings, ofAll } from "../keys/live-rings.ts";
import { failure, type Finding } from "./finding.ts";

const CHECK = "keys";
/** Left of its life when a key is spoken of, in ms: as the alert has it (deploy/prometheus/rules.yml). */
const RENEW_MS = 30 * 86_400_000;

export interface KeyLife {
  /** `KEY_LIFE`, ms. */
  readonly keyLifeMs: number;
  readonly now: number;
}

/** Whether what jobs were sealed with can be opened with the keys that are set here, and by the workers. */
export async function keyFindings(
  keys: Pick<KeyChain, "store" | "provider">,
  rings: LiveRings,
  life: KeyLife,
): Promise<Finding[]> {
  const { dataKeys, damaged } = await keys.store.list();
  // Each key that wraps is tried with the newest data key that it wrapped.
  const byWrapping = new Map(dataKeys.map((stored) => [stored.by, stored]));
  const tried = await Promise.all(
    [...byWrapping.values()].map(async (stored) => {
      const count = dataKeys.filter(({ by }) => by === stored.by).length;
      return await tryOne(keys, stored, count);
    }),
  );
  const found = [
    ...(await retired(keys)),
    ...tried.filter((finding) => finding !== null),
    ...damaged.map((id) => failed(`the data key ${id} is damaged: what it sealed can be opened by nobody`)),
    ...(keys.provider.sealingId === null ? [] : lackingWorkers(byWrapping.keys(), rings)),
    ...(await oldKey(keys, life)),
  ];
  if (found.length > 0) return found;
  const detail = dataKeys.length === 0 ? "there is no data key yet" : `they open ${dataKeysText(dataKeys.length)}`;
  return [{ check: CHECK, status: "ok", detail }];
}

async function tryOne(
  { provider }: Pick<KeyChain, "provider">,
  { id, scope, by, wrapped }: StoredDataKey,
  count: number,
): Promise<Finding | null> {
  try {
    await provider.unwrap(wrapped, wrapContext(id, scope));
    return null;
  } catch (error) {
    const { detail, ...finding } = failure(CHECK, error);
    return { ...finding, detail: `${dataKeysText(count)} wrapped by "${by}" cannot be opened here: ${detail}` };
  }
}

async function retired(keys: Pick<KeyChain, "store" | "provider">): Promise<Finding[]> {
  try {
    await assertWraps(keys);
    return [];
  } catch (error) {
    return [failure(CHECK, error)];
  }
}

/** One that has wrapped for nearly as long as it may. A key service answers for its own. */
async function oldKey(
  { store, provider: { sealingId } }: Pick<KeyChain, "store" | "provider">,
  { keyLifeMs, now }: KeyLife,
): Promise<Finding[]> {
  const since = sealingId === null ? undefined : (await store.wrapping()).get(sealingId);
  if (since === undefined || since + keyLifeMs - now >= RENEW_MS) return [];
  const days = (ms: number): string => `${Math.floor(ms / 86_400_000)}d`;
  const detail = `the key "${sealingId}" has wrapped for ${days(now - since)} of its ${days(keyLifeMs)} (KEY_LIFE): replace it, docs/runbooks/key-retires.md`;
  return [{ check: CHECK, status: "warning", detail }];
}

/** A worker that lacks one that seals takes no jobs; one of a key service says none. */
function lackingWorkers(wrapping: Iterable<string>, rings: LiveRings): Finding[] {
  return [...wrapping].flatMap((by): Finding[] => {
    const lacking = rings.filter((ring) => ring !== null && ring.length > 0 && !ring.includes(by)).length;
    if (lacking === 0) return [];
    const [lack, them] = lacking === 1 ? ["lacks", "it"] : ["lack", "them"];
    const cure = `give ${them} the SATYAPAN_ENCRYPTION_KEYS of the others, and restart ${them}`;
    const detail = `${ofAll(lacking, rings)} ${lack} the key "${by}", and cannot open what it protects: ${cure}`;
    return [{ check: CHECK, status: "warning", detail }];
  });
}

function dataKeysText(count: number): string {
  return count === 1 ? "1 data key" : `${count} data keys`;
}

function failed(detail: string): Finding {
  return { check: CHECK, status: "failed", detail };
}
