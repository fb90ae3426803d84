import { randomBytes } from "node:crypto";
import type { KeyProvider } from "../../../../src/privacy/keys/key-provider.ts";
import { DataKeys } from "../../../../src/privacy/keys/data-keys.ts";
import { DataKeyStore } from "../../../../src/privacy/keys/data-key-store.ts";
import { type KeyRing, parseKeyRing } from "../../../../src/privacy/keys/key-ring.ts";
import { RingKeyProvider } from "../../../../src/privacy/keys/ring-key-provider.ts";
import type { TestRedis } from "../../../support/redis.ts";

export const NOON = Date.parse("2026-11-21T12:00:00Z");
export const TODAY = "day:2026-11-21";

export function newRingKey(id: string): string {
  return `${id}:${randomBytes(32).toString("base64")}`;
}

export function newRing(...ids: readonly string[]): KeyRing {
  return parseKeyRing(ids.map(newRingKey).join(","));
}

/** One process's keys, with a clock and a provider of its own; counts what it asks them. */
export function newProcess(redis: TestRedis, ring: KeyRing | KeyProvider, clock = { now: NOON }) {
  const provider = "wrap" in ring ? ring : new RingKeyProvider(ring);
  const asked = { wrap: 0, unwrap: 0 };
  const counting: KeyProvider = {
    sealingId: provider.sealingId,
    wrap: async (key, context) => {
      asked.wrap += 1;
      return await provider.wrap(key, context);
    },
    unwrap: async (wrapped, context) => {
      asked.unwrap += 1;
      return await provider.unwrap(wrapped, context);
    },
    printOf: (keyId) => provider.printOf(keyId),
    keyIdOf: (wrapped) => provider.keyIdOf(wrapped),
  };
  const store = new DataKeyStore(redis.client());
  const now = () => clock.now;
  return { dataKeys: new DataKeys({ store, provider: counting, now }), store, clock, asked, provider: counting };
}
