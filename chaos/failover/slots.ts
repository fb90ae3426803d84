import { setTimeout as sleep } from "node:timers/promises";
import { type ChaosCluster, mastersIn, slotOf } from "./cluster.ts";

/** Keys that go over in one step of a quick move, and how long one may take, in ms. */
const MANY = 500;
const MIGRATE_MS = 5_000;
/** Between two steps of a slow move, in ms. */
const STEP_MS = 100;

/** Moves the slot of Eko's queue to another master, as an operator's tool does; slowly: in about `overMs`. */
export async function moveSlot(cluster: ChaosCluster, overMs = 0): Promise<void> {
  const source = await cluster.holder();
  const slot = await slotOf(source);
  const masters = await mastersIn(source);
  const sourceId = masters.find(({ port }) => port === source.port)?.id ?? "";
  const target = masters.find(({ port }) => port !== source.port);
  const node = cluster.nodes.find(({ port }) => port === target?.port);
  if (target === undefined || node === undefined) throw new Error("no other master takes the slot");
  await node.admin.call("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId);
  await source.admin.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id);
  const count = Number(await source.admin.call("CLUSTER", "COUNTKEYSINSLOT", slot));
  const step = overMs === 0 ? MANY : Math.max(1, Math.ceil(count / (overMs / STEP_MS)));
  for (;;) {
    const keys = (await source.admin.call("CLUSTER", "GETKEYSINSLOT", slot, step)) as readonly string[];
    if (keys.length === 0) break;
    await source.admin.call("MIGRATE", "127.0.0.1", target.port, "", 0, MIGRATE_MS, "REPLACE", "KEYS", ...keys);
    if (overMs > 0) await sleep(STEP_MS);
  }
  const told = [node, source, ...cluster.nodes.filter((one) => one !== node && one !== source)];
  for (const one of told) {
    // A replica hears of it by itself, and may refuse to be told.
    await one.admin.call("CLUSTER", "SETSLOT", slot, "NODE", target.id).catch(() => {});
  }
}
