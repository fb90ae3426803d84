import { setTimeout as sleep } from "node:timers/promises";
import { Proxy } from "../proxy.ts";
import { type NodeSpace, RedisNode } from "./node.ts";
import { freePorts, masterOf, NODE_ARGS, roleOf, type Topology } from "./topology.ts";

/** A master and a replica behind one address, as a hosted Redis is offered. */
export class ChaosPair implements Topology {
  readonly kind = "standalone";
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  readonly #proxy: Proxy;
  #stop: () => Promise<void> = async () => {};

  private constructor(nodes: readonly RedisNode[], proxy: Proxy) {
    this.nodes = nodes;
    this.#proxy = proxy;
    this.url = `redis://127.0.0.1:${proxy.port}`;
  }

  static async start(space: NodeSpace, random: () => number, args: readonly string[]): Promise<ChaosPair> {
    await using started = new AsyncDisposableStack();
    const [first = 0, second = 0] = await freePorts(2, random);
    const follow = ["--replicaof", "127.0.0.1", String(first)];
    const master = started.use(new RedisNode(space, first, [...NODE_ARGS, ...args]));
    const replica = started.use(new RedisNode(space, second, [...NODE_ARGS, ...args, ...follow]));
    await master.start();
    await replica.start();
    while (!(await roleOf(replica)).isLinked) await sleep(20);
    const proxy = await Proxy.listen({ host: "127.0.0.1", port: first });
    started.defer(() => proxy.close());
    const opened = started.move();
    const pair = new ChaosPair([master, replica], proxy);
    pair.#stop = async () => opened.disposeAsync();
    return pair;
  }

  async holder(): Promise<RedisNode> {
    return await masterOf(this.nodes);
  }

  /** The replica becomes the master; connections to the one before stay, new ones go to the new one. */
  async swap(): Promise<void> {
    const old = await this.holder();
    const next = this.nodes.find((node) => node !== old);
    if (next === undefined) throw new RangeError("a pair without a replica");
    await next.admin.replicaof("NO", "ONE");
    this.#proxy.redirect({ host: "127.0.0.1", port: next.port });
    await old.admin.replicaof("127.0.0.1", next.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
