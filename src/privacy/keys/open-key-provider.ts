import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { commandKeyProvider } from "./command-key-provider.ts";
import { httpKeyProvider } from "./http-key-provider.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { KeyServiceSettings, KeySettings } from "./settings.ts";
import { serviceKeyIdOf } from "./key-service.ts";
import { isRingWrapped, ringKeyIdOf, RingKeyProvider, unknownRingKey } from "./ring-key-provider.ts";

/** The settings that say who wraps. */
export type WrappingSettings = Pick<KeySettings, "keys" | "keyService">;

/** The provider of these settings. With a service, the ring only unwraps what it wrapped before. */
export function openKeyProvider({ keys, keyService }: WrappingSettings): KeyProvider {
  const ring = keys === null ? null : new RingKeyProvider(keys);
  const service = keyService === null ? null : openService(keyService);
  const first = service ?? ring;
  if (first === null) throw new TypeError("settings without keys were not refused");
  return {
    sealingId: first.sealingId,
    wrap: async (key, context) => await first.wrap(key, context),
    unwrap: async (wrapped, context) => {
      if (isRingWrapped(wrapped)) {
        if (ring === null) throw unknownRingKey(ringKeyIdOf(wrapped));
        return await ring.unwrap(wrapped, context);
      }
      if (service === null) throw noService();
      return await service.unwrap(wrapped, context);
    },
    printOf: (keyId) => ring?.printOf(keyId) ?? null,
    keyIdOf: (wrapped) => (isRingWrapped(wrapped) ? ringKeyIdOf(wrapped) : serviceKeyIdOf(wrapped)),
  };
}

function openService(settings: KeyServiceSettings): KeyProvider {
  return settings.kind === "command" ? commandKeyProvider(settings) : httpKeyProvider(settings);
}

function noService(): SatyapanError {
  return new SatyapanError(ErrorCode.UNKNOWN_KEY, "a key service wrapped its data key: set KEY_PROVIDER to it again");
}
