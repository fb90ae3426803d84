import { describe, expect, it } from "vitest";
import { formOf, type MetricsPage, once } from "../../workers/metrics-page.ts";

function setup(isTraced = true) {
  const made = { times: 0 };
  const openMetrics = once(() => `open ${++made.times}`);
  const page: MetricsPage = { text: "text", openMetrics: isTraced ? openMetrics : null };
  return { page, made, asked: (accept: string) => formOf(page, accept).text };
}

/** As Prometheus 2.42 and 3 ask. */
const PROMETHEUS =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

describe("the form of a scrape's answer", () => {
  it.each([PROMETHEUS, "Application/OpenMetrics-Text", "text/plain;q=0.9, application/openmetrics-text; q=0.9"])(
    "is OpenMetrics for who likes it: %s",
    (accept) => {
      expect(setup().asked(accept)).toBe("open 1");
      expect(formOf(setup().page, accept).type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    },
  );

  it.each([
    ...["", "*/*", "text/plain", "application/openmetrics-text;q=0", "application/openmetrics-text;q=many"],
    ...["text/plain, application/openmetrics-text;q=0.5", "application/openmetrics-text-not", ";;,q=1"],
  ])("is text for everybody else: %s", (accept) => {
    expect(setup().asked(accept)).toBe("text");
    expect(formOf(setup().page, accept).type).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  it("is text for all where there are no traces, and OpenMetrics is made once for all who ask", () => {
    expect(setup(false).asked(PROMETHEUS)).toBe("text");
    const { asked, made } = setup();
    for (let n = 0; n < 100; n++) expect(asked(n % 2 === 0 ? PROMETHEUS : "")).toBe(n % 2 === 0 ? "open 1" : "text");
    expect(made.times).toBe(1);
  });
});
