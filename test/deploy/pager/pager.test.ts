import { describe, expect, it } from "vitest";
import type { ToldPage } from "../../../deploy/pager/page-book.ts";
import { Pager } from "../../../deploy/pager/pager.ts";

interface Alert {
  readonly status?: "firing" | "resolved";
  readonly startsAt?: string;
  readonly summary?: string;
  readonly runbook_url?: string;
}

const FIRST = "2026-01-15T10:00:00.000Z";
const AGAIN = "2026-01-15T11:00:00.000Z";

function notification(...alerts: readonly Alert[]): string {
  return JSON.stringify({
    receiver: "on-call",
    alerts: alerts.map(({ status = "firing", startsAt = FIRST, summary = "eko is out of order", ...urls }) => ({
      status,
      labels: { alertname: "SatyapanBreakerOpen", severity: "page" },
      annotations: { summary, description: "", ...urls },
      startsAt,
      fingerprint: "f1",
    })),
  });
}

async function setup(): Promise<
  AsyncDisposable & { readonly told: string[]; readonly url: string; post: (body: string) => Promise<Response> }
> {
  const told: string[] = [];
  const onTold = ({ status, alert, startsAt }: ToldPage): void => void told.push(`${status} ${alert} ${startsAt}`);
  const pager = await Pager.listen({ host: "127.0.0.1", port: 0, onTold, now: () => Date.parse(AGAIN) });
  const { url } = pager;
  const post = async (body: string): Promise<Response> => await fetch(url, { method: "POST", body });
  return { told, url, post, [Symbol.asyncDispose]: async () => await pager[Symbol.asyncDispose]() };
}

describe("the pager", () => {
  it("tells each firing once, however often Alertmanager says it, and says when it is over", async () => {
    await using pager = await setup();
    await pager.post(notification({}));
    await pager.post(notification({}));
    await pager.post(notification({ status: "resolved" }));
    await pager.post(notification({ status: "resolved" }));
    expect(pager.told).toEqual([`firing BreakerOpen ${FIRST}`, `resolved BreakerOpen ${FIRST}`]);
  });

  it("tells it again when it fires again", async () => {
    await using pager = await setup();
    await pager.post(notification({ status: "resolved" }, { startsAt: AGAIN }));
    expect(pager.told).toEqual([`resolved BreakerOpen ${FIRST}`, `firing BreakerOpen ${AGAIN}`]);
  });

  it("shows on a page what fires, with the way to its runbook, and no alert writes the page", async () => {
    await using pager = await setup();
    expect(await (await fetch(pager.url)).text()).toContain("Nobody was told anything.");
    const runbook_url = "https://example.org/breaker-open.md";
    await pager.post(notification({ summary: "<script>1</script>", runbook_url }));
    const page = await (await fetch(pager.url)).text();
    expect(page).toContain("1 firing");
    expect(page).toContain("11:00:00");
    expect(page).toContain(`<a href="${runbook_url}">runbook</a>`);
    expect(page).not.toContain("<script>");
    expect(await (await fetch(`${pager.url}pages`)).json()).toMatchObject([{ alert: "BreakerOpen", severity: "page" }]);
  });

  it.each([
    ["what is no JSON", "alerts"],
    ["another shape", JSON.stringify({ receiver: "on-call", alerts: [{ status: "on fire" }] })],
    ["more than anybody tells", " ".repeat(5 * 1024 * 1024)],
  ])("refuses %s with the reason, and goes on", async (_, body) => {
    await using pager = await setup();
    const reply = await pager.post(body);
    expect(reply.status).toBe(400);
    expect(await reply.text()).not.toBe("");
    expect((await pager.post(notification({}))).status).toBe(200);
    expect(pager.told).toEqual([`firing BreakerOpen ${FIRST}`]);
  });
});
