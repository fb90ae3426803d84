import type { RedisClient } from "../../redis/connection.ts";
import { DataKeys, retiredKey } from "./data-keys.ts";
import { DataKeyStore } from "./data-key-store.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { KeySettings } from "./settings.ts";
import { openKeyProvider, type WrappingSettings } from "./open-key-provider.ts";

/** From the key that wraps to the keys at hand: what a process has of keys. */
export interface KeyChain {
  readonly provider: KeyProvider;
  readonly store: DataKeyStore;
  readonly dataKeys: DataKeys;
}

export type KeyChainSettings = WrappingSettings & Partial<Pick<KeySettings, "sealsWhole">>;

/** `redis`: where the data keys are, that of KEYS_REDIS_URL or else of the jobs. */
export function openKeyChain(redis: RedisClient, settings: KeyChainSettings, now: () => number): KeyChain {
  const store = new DataKeyStore(redis);
  const provider = openKeyProvider(settings);
  return { provider, store, dataKeys: new DataKeys({ store, provider, now, sealsWhole: settings.sealsWhole }) };
}

/** Throws SatyapanError `bad-settings` where the key that would wrap was retired: nothing is to be sealed with it. */
export async function assertWraps({ store, provider }: Pick<KeyChain, "store" | "provider">): Promise<void> {
  const { sealingId } = provider;
  if (sealingId !== null && (await store.retired()).has(sealingId)) throw retiredKey(sealingId);
}
