import { expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { testKeys } from "../support/client.ts";
import { RunningCommand } from "../support/command.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { bundleEnv, startWorkerBundle } from "../support/worker.ts";

const OPEN = 3;
const ROWS = 12;
const mobileOf = (row: number): string => madeUpMobile(row, "000");

it("no more codes are out than somebody is asked for, however often workers are killed", async () => {
  await using stack = new AsyncDisposableStack();
  const keys = testKeys();
  const bundle = stack.use(await startWorkerBundle({ env: keys }));
  const place = stack.use(await makeTempDir());
  const env = { ...bundleEnv(bundle.simulator, bundle.redis.url), ...keys };
  const batches = new BatchBundle(bundle.redis, bundle.settings);
  const rows = batches.flowRows("eko.mobile", ROWS, (row) => ({ mobile: mobileOf(row), csp_id: "9000000001" }));
  const { id } = await batches.submit(rows, { flow: "eko.mobile", stopAt: null, open: OPEN });
  const startWorker = () => stack.use(new RunningCommand(["worker"], { cwd: place.path, env }));
  let worker = startWorker();
  const sent = (): string[] => bundle.simulator.outbox.map(({ to }) => to);
  const answered = new Set<number>();
  const seat = bundle.client.batches.seat(id);
  while (answered.size < ROWS) {
    const next = seat.next();
    // The one that feeds dies whenever somebody is about to be asked.
    worker.kill("SIGKILL");
    worker = startWorker();
    const { value: sender } = await next;
    if (sender === undefined) break;
    expect(sent().length - answered.size).toBeLessThanOrEqual(OPEN);
    const { otp } = await bundle.simulator.waitForOtp(mobileOf(sender.row));
    expect(await sender.answer(otp)).toEqual({ kind: "right" });
    answered.add(sender.row);
    expect(sent().length - answered.size).toBeLessThanOrEqual(OPEN);
  }
  await seat.return();
  const { counts } = await batches.ended(id);
  expect(counts.succeeded + counts.unknown).toBe(ROWS);
  expect(new Set(sent()).size).toBe(sent().length);
  await batches.recount(id);
});
