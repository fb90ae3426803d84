import { expect, it } from "vitest";
import { LiveScreen } from "../../../producers/report/live-screen.ts";
import { Terminal } from "../../support/terminal.ts";

const LINES = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`);

it("shows the first lines that a window has room for, and how many more there are", () => {
  const terminal = new Terminal(20, 5);
  const screen = new LiveScreen(terminal);
  for (let time = 0; time < 2; time++) screen.drawCounted(LINES);
  expect(terminal.screen).toEqual(["line 1", "line 2", "line 3", "… 6 more lines, in …", ""]);
  screen.drawCounted(LINES.slice(0, 4));
  expect(terminal.screen).toEqual(["line 1", "line 2", "line 3", "line 4", ""]);
});
