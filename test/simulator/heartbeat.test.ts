import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { startSimulator } from "../../simulator/simulator.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** Keeps this process from hearing anything, as a busy machine does. */
function holdUpUntil(isOver: () => boolean): void {
  while (!isOver());
}

it("tells of a request that was heard late that it may have come as much earlier", async () => {
  await using simulator = await startSimulator({ witness: true });
  const socket = connect(Number(new URL(simulator.url).port), "127.0.0.1");
  await once(socket, "connect");
  await nextTurn();
  const before = Date.now();
  socket.write("GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n");
  holdUpUntil(() => Date.now() > before + 80);
  await once(socket, "data");
  socket.destroy();
  const [request] = simulator.requests;
  expect(request?.at).toBeGreaterThan(before + 80);
  expect(request?.came_after).toBeLessThanOrEqual(before);
});

/** Ten connections with a request on each, then a file that says so. */
const CALLER = `
  const { connect } = require("node:net");
  const [port, file] = process.argv.slice(1);
  let written = 0, replies = 0;
  for (let n = 0; n < 10; n++) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("GET /nowhere HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n", () => ++written === 10 && require("node:fs").writeFileSync(file, ""));
    socket.on("data", () => ++replies === 10 && process.exit());
  }`;

it("tells the same of connections that waited to be taken, which Node takes one by one", async () => {
  await using simulator = await startSimulator({ witness: true });
  await using folder = await makeTempDir();
  const file = join(folder.path, "written");
  const caller = spawn(process.execPath, ["-e", CALLER, new URL(simulator.url).port, file], { stdio: "inherit" });
  const ended = once(caller, "exit");
  const before = Date.now();
  holdUpUntil(() => existsSync(file));
  await ended;
  expect(simulator.requests).toHaveLength(10);
  for (const { came_after } of simulator.requests) expect(came_after).toBeLessThanOrEqual(before);
});

it("says nothing where nobody asked it to watch", async () => {
  await using simulator = await startSimulator();
  await fetch(`${simulator.url}/nowhere`).then(async (reply) => await reply.text());
  expect(simulator.requests.map(({ came_after }) => came_after)).toEqual([null]);
});
