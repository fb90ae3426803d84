import type { ConfigurationPatch } from "../simulator/configuration.ts";
import type { SimulatorEnvironment } from "../simulator/credentials.ts";
import { seededRandom } from "../simulator/draw.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { type Cut, Proxy } from "./proxy.ts";

// A process of its own: the providers, and the network between them, Redis and the workers.

export type Side = "redis" | "providers";

/** The first message to this process. */
export interface OutsideStart {
  readonly seed: number;
  readonly configuration: ConfigurationPatch;
  /** Redis' Unix socket; null: nothing is ever cut off, and nothing stands between. */
  readonly redis: string | null;
}
/** Its answer. */
export interface OutsideReady {
  /** The simulator itself, for its record. */
  readonly url: string;
  /** For workers: through the proxy, where there is one. */
  readonly env: SimulatorEnvironment;
  readonly redisUrl: string;
}
/** Every later message. */
export interface CutOrder {
  readonly side: Side;
  readonly how: Cut;
  readonly ms: number;
}

async function start({ seed, configuration, redis }: OutsideStart): Promise<void> {
  const simulator = await startSimulator({ random: seededRandom(seed), configuration, witness: true });
  if (redis === null) {
    const ready: OutsideReady = { url: simulator.url, env: simulator.env, redisUrl: "" };
    process.send?.(ready);
    return;
  }
  const port = Number(new URL(simulator.url).port);
  const proxies = {
    redis: await Proxy.listen({ path: redis }),
    providers: await Proxy.listen({ host: "127.0.0.1", port }),
  } as const;
  process.on("message", (order) => {
    const { side, how, ms } = order as CutOrder;
    proxies[side].cut(how, ms);
  });
  const through = (url: string): string => url.replace(`:${port}`, `:${proxies.providers.port}`);
  const { EKO_BASE_URL: eko, DEEPVUE_BASE_URL: deepvue } = simulator.env;
  const ready: OutsideReady = {
    url: simulator.url,
    env: { ...simulator.env, EKO_BASE_URL: through(eko), DEEPVUE_BASE_URL: through(deepvue) },
    redisUrl: `redis://127.0.0.1:${proxies.redis.port}`,
  };
  process.send?.(ready);
}

if (process.send !== undefined) {
  process.once("message", (message) => void start(message as OutsideStart));
  process.once("disconnect", () => process.exit());
}
