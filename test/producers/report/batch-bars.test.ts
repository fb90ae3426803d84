import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { BatchWatch } from "../../../producers/batches/batch-watch.ts";
import { batchDisplay } from "../../../producers/report/batch-bars.ts";
import { noRows, type RowState, totalOf } from "../../../src/batches/row-state.ts";
import { Terminal } from "../../support/terminal.ts";

const START = Date.parse("2026-01-15T10:00:00Z");

function view(counts: Partial<Record<RowState, number>>, other: Partial<BatchWatch> = {}): BatchWatch {
  const all = { ...noRows(), ...counts };
  return {
    ...{ id: "b0001", name: "Tuesday", flow: "eko.mobile", tenant: "default", state: "running", reason: null },
    ...{ rows: totalOf(all), counts: all, weight: 1, open_challenges: all.awaiting_otp, open_limit: 5, rate: 2.5 },
    ...{ created_at: new Date(START).toISOString(), ended_at: null },
    ...{
      estimated_end: new Date(START + 30_000).toISOString(),
      reasons: [],
      quota: [{ max: 100, ms: 1_000, used: 7 }],
      workers: 2,
    },
    ...other,
  };
}

const RUNNING = view(
  { waiting: 90, awaiting_otp: 5, succeeded: 100, rejected: 5 },
  {
    reasons: [
      { state: "rejected", code: "2138", count: 5, reason: "no mobile number is linked to the Aadhaar number" },
    ],
  },
);
const ENDED = view(
  { succeeded: 190, rejected: 5, unknown: 4, expired: 1 },
  {
    ...{ state: "finished_with_errors", estimated_end: null, ended_at: new Date(START + 40_000).toISOString() },
    reasons: [
      { state: "rejected", code: "2138", count: 3, reason: "no mobile number is linked to the Aadhaar number" },
      { state: "rejected", code: "302", count: 1, reason: "wrong OTP" },
      { state: "unknown", code: "unknown", count: 4, reason: "the connection was closed without a reply" },
    ],
  },
);

function onTerminal(columns: number, rows?: number) {
  const terminal = new Terminal(columns, rows);
  let now = START;
  const display = batchDisplay(terminal, () => now);
  return { terminal, display, at: (ms: number) => (now = START + ms) };
}

describe("a batch whose provider no worker serves", () => {
  const idle = view({ waiting: 3 }, { workers: 0, state: "ready", rate: 0, estimated_end: null });
  const cure = "runs for its provider: start one that has its settings with `satyapan worker`";

  it("asks for one on a terminal, until one runs", () => {
    const { terminal, display } = onTerminal(100);
    display.show(idle);
    expect(terminal.screen).toContain(`     workers none ${cure}`);
    display.show({ ...idle, workers: 1 });
    expect(terminal.screen.join("\n")).not.toContain("workers");
  });

  it("asks for one in lines, and tells at once when one runs", () => {
    const stdout = new PassThrough();
    const display = batchDisplay(stdout, () => START);
    for (const workers of [0, 1, null]) display.show({ ...idle, workers });
    const lines = String(stdout.read()).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(new RegExp(`3 waiting; no worker ${cure}$`));
    expect(lines[1]).toMatch(/3 waiting$/);
  });
});

describe("a batch on a terminal", () => {
  it("is a bar for each state that has rows, with what goes on beside them, drawn over again", () => {
    const { terminal, display, at } = onTerminal(80);
    terminal.write("$ satyapan batch watch\n");
    display.show(view({ waiting: 200 }, { rate: 0, estimated_end: null, state: "ready" }));
    at(18_000);
    display.show(RUNNING);
    expect(terminal.screen).toEqual([
      "$ satyapan batch watch",
      "     running Tuesday",
      "       ended 105 of 200 in 18s",
      "        rate 2.5/s, about 12s left",
      "     waiting █████████████░░░░░░░░░░░░░░░░░  90",
      "awaiting_otp █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   5",
      "   succeeded ███████████████░░░░░░░░░░░░░░░ 100",
      "    rejected █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   5",
      "       quota 7 of 100 per 1s",
      "       codes 5 awaited of at most 5",
      "      mostly 5 rejected, no mobile number is linked to the Aadhaar number",
      "",
    ]);
    expect(terminal.isCursorShown).toBe(false);
  });

  it("keeps the line of a state that has no rows any more, so that nothing jumps", () => {
    const { terminal, display } = onTerminal(80);
    display.show(RUNNING);
    display.show(view({ awaiting_otp: 95, succeeded: 105 }));
    expect(terminal.screen.filter((line) => /░|█/.test(line)).map((line) => line.slice(0, 12).trim())).toEqual([
      ...["waiting", "awaiting_otp", "succeeded", "rejected"],
    ]);
  });

  it("says that it is paused, and why", () => {
    const { terminal, display } = onTerminal(80);
    display.show(view({ waiting: 3 }, { state: "paused", reason: "the bank asked for it" }));
    expect(terminal.screen[0]).toBe("      paused Tuesday: the bank asked for it");
  });

  it.each([20, 40, 80, 200])("fits into %i columns", (columns) => {
    const { terminal, display } = onTerminal(columns);
    for (const one of [RUNNING, RUNNING]) display.show(one);
    // Folded, there would be more.
    expect(terminal.screen).toHaveLength(11);
    expect(terminal.screen.find((line) => line.includes("succeeded"))).toMatch(/ 100$/);
  });

  it("fits into few rows: what comes last is left out", () => {
    const { terminal, display } = onTerminal(80, 6);
    for (const one of [RUNNING, RUNNING]) display.show(one);
    expect(terminal.screen).toHaveLength(6);
  });

  it("follows the terminal's size, also where that folded what was drawn", () => {
    const { terminal, display } = onTerminal(80);
    terminal.write("before\n");
    display.show(RUNNING);
    terminal.resize(30);
    display.show(RUNNING);
    const [first, ...drawn] = terminal.screen;
    expect(first).toBe("before");
    expect(drawn).toHaveLength(11);
    expect(drawn[5]).toBe("   succeeded ██████░░░░░░░ 100");
    terminal.resize(80);
    display.show(RUNNING);
    expect(terminal.screen).toHaveLength(12);
    expect(terminal.screen[6]).toBe("   succeeded ███████████████░░░░░░░░░░░░░░░ 100");
  });

  it("ends with what became of all rows and what to do, and gives the cursor back", () => {
    const { terminal, display, at } = onTerminal(80);
    display.show(RUNNING);
    at(40_000);
    display.show(ENDED);
    // The terminal's own echo of Ctrl-C.
    terminal.write("^C");
    display.stop();
    expect(terminal.isCursorShown).toBe(true);
    expect(terminal.screen.join("\n")).toMatchInlineSnapshot(`
      "finished_with_errors: 200 of 200 rows ended; 190 succeeded, 5 rejected, 4
      unknown, 1 expired

      What became of the rows:
        190 succeeded
          3 rejected, 2138: no mobile number is linked to the Aadhaar number
          1 rejected, 302: wrong OTP
          1 rejected, for other reasons
              a final no, of the provider or on the phone: correct what is wrong with
              the row, and have the results taken back with \`satyapan batch submit
              FILE --repairs b0001\`
          4 unknown, the connection was closed without a reply
              it may have happened: find out, then \`satyapan settle b0001-ROW
              succeeded|rejected|resend --reason …\`
          1 expired
              its time was over before it was called, or its code did not come in
              time: if it is still wanted, fill in what is masked, and have the
              results taken back with \`satyapan batch submit FILE --repairs b0001\`
        200 in all

      Which rows: \`satyapan batch results b0001 --only rejected,unknown,expired\`
      "
    `);
  });

  it("gives the cursor back where nothing was shown", () => {
    const { terminal, display } = onTerminal(80);
    display.stop();
    expect(terminal.isCursorShown).toBe(true);
    expect(terminal.screen).toEqual([""]);
  });
});

describe("a batch elsewhere", () => {
  function onPipe() {
    const stdout = new PassThrough();
    let now = START;
    const display = batchDisplay(stdout, () => now);
    return { display, at: (ms: number) => (now = START + ms), text: () => String(stdout.read() ?? "") };
  }

  it("is a line every two seconds and whenever its state changes, and the last one always", () => {
    const { display, at, text } = onPipe();
    display.show(view({ waiting: 10 }, { state: "ready" }));
    display.show(view({ waiting: 9, queued: 1 }));
    for (const ms of [500, 1_000, 1_500, 2_000, 2_500]) {
      at(ms);
      display.show(view({ waiting: 9, succeeded: 1 }));
    }
    display.show(view({ succeeded: 10 }));
    display.stop();
    const lines = text().trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/: .*; /, " ").replace("2026-01-15T10:00:", ""))).toEqual([
      "00.000Z ready 10 waiting",
      "00.000Z running 9 waiting, 1 queued",
      "02.000Z running 9 waiting, 1 succeeded",
      "02.500Z running 10 succeeded",
    ]);
  });

  it("ends with what became of all rows, in lines that are not folded", () => {
    const { display, text } = onPipe();
    display.show(ENDED);
    display.stop();
    const said = text();
    expect(said).toContain("  190 succeeded\n    3 rejected, 2138: no mobile number is linked to the Aadhaar number\n");
    expect(said).toContain(
      "with the row, and have the results taken back with `satyapan batch submit FILE --repairs b0001`\n",
    );
  });
});
