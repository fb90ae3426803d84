import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { readLine } from "../../../producers/files/read-input.ts";
import { isTerminal, TypedLines } from "../../../producers/files/typed-lines.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { FakeScreen, FakeTerminal } from "../../support/fake-terminal.ts";

function setup(signal = new AbortController().signal) {
  const [terminal, screen] = [new FakeTerminal(), new FakeScreen()];
  return { terminal, screen, lines: new TypedLines(terminal, screen, signal) };
}

describe("lines that somebody types", () => {
  it("are read while no digit of them is ever on the screen", async () => {
    const { terminal, screen, lines } = setup();
    expect(terminal.isRaw).toBe(true);
    const code = lines.next();
    for (const key of "12 34५6\r") terminal.type(key);
    expect(await code).toBe("12 34५6");
    const words = lines.next();
    terminal.type("wrong number\n");
    expect(await words).toBe("wrong number");
    expect(screen.shown).toBe("•• ••••\nwrong number\n");
    lines[Symbol.dispose]();
    expect(terminal.isRaw).toBe(false);
  });

  it("may be mended before Enter, by backspace and Ctrl-U, and keys without text say nothing", async () => {
    const { terminal, screen, lines } = setup();
    const line = lines.next();
    terminal.type("\x7F129\x1B[A\b3\x07");
    terminal.type("\x1B[3~4\r");
    expect(await line).toBe("1234");
    const other = lines.next();
    terminal.type("999\x1556\r");
    expect(await other).toBe("56");
    expect(screen.shown).toBe("•••\b \b••\n•••\b \b\b \b\b \b••\n");
  });

  it("are for whoever asked: what is typed in between, and what follows a line that was pasted, is dropped", async () => {
    const { terminal, screen, lines } = setup();
    terminal.type("111111\r");
    const line = lines.next();
    terminal.type("222222\r333333\r");
    expect(await line).toBe("222222");
    const next = lines.next();
    terminal.type("444444\r");
    expect(await next).toBe("444444");
    expect(screen.shown).toBe("••••••\n••••••\n");
  });

  it.each([
    ["Ctrl-C", (terminal: FakeTerminal) => terminal.type("12\x03")],
    ["Ctrl-D", (terminal: FakeTerminal) => terminal.type("\x04")],
    ["the end of the terminal", (terminal: FakeTerminal) => terminal.end()],
    ["a terminal that is gone", (terminal: FakeTerminal) => terminal.destroy(new Error("EIO"))],
  ])("end with %s, whoever waits for one", async (_, end) => {
    const { terminal, lines } = setup();
    const line = lines.next();
    end(terminal);
    expect(await line).toBeNull();
    expect(lines.ended.aborted).toBe(true);
    expect(await lines.next()).toBeNull();
  });

  it("end with the command", async () => {
    const stop = new AbortController();
    const { lines } = setup(stop.signal);
    const line = lines.next();
    stop.abort();
    expect(await line).toBeNull();
    expect(lines.ended.aborted).toBe(true);
  });
});

describe("readLine", () => {
  const context = (stdin: FakeTerminal | PassThrough) => {
    const stderr = new FakeScreen();
    return { stdin, stderr, signal: new AbortController().signal, readFile: () => "" };
  };

  it("asks who sits at a terminal, shows no digit of the answer, and leaves the terminal as it was", async () => {
    const given = context(new FakeTerminal());
    expect(isTerminal(given.stdin)).toBe(true);
    const line = readLine(given, "code");
    given.stdin.write("123456\r");
    expect(await line).toBe("123456");
    expect(given.stderr.shown).toBe("code: ••••••\n");
    expect(given.stdin).toMatchObject({ isRaw: false });
  });

  it("says that nothing was done when Ctrl-C is typed, and asks nobody where lines are piped in", async () => {
    const given = context(new FakeTerminal());
    const line = readLine(given, "code");
    given.stdin.write("12\x03");
    await expect(line).rejects.toMatchObject({
      code: ErrorCode.INTERRUPTED,
      message: "nothing was done: no code was typed",
    });
    const piped = context(new PassThrough());
    piped.stdin.end(" 123456 \nmore\n");
    expect(await readLine(piped, "code")).toBe("123456");
    expect(piped.stderr.shown).toBe("");
  });
});
