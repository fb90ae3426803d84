import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";

/** Keeps this process from hearing anything, as a busy machine does. */
function holdUp(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it("tells of a request that was heard late that it may have come as much earlier", async () => {
  await using simulator = await startSimulator({ witness: true });
  const socket = connect(Number(new URL(simulator.url).port), "127.0.0.1");
  await once(socket, "connect");
  await nextTurn();
  const before = Date.now();
  socket.write("GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n");
  holdUp(80);
  await once(socket, "data");
  socket.destroy();
  const [request] = simulator.requests;
  expect(request?.at).toBeGreaterThanOrEqual(before + 79);
  expect(request?.came_after).toBeLessThanOrEqual(before);
});

it("says nothing where nobody asked it to watch", async () => {
  await using simulator = await startSimulator();
  await fetch(`${simulator.url}/nowhere`).then(async (reply) => await reply.text());
  expect(simulator.requests.map(({ came_after }) => came_after)).toEqual([null]);
});
