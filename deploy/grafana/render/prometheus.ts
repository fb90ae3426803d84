import { z } from "zod";

/** Values over time; times in seconds. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [at: number, value: number])[];
}

export interface TimeRange {
  readonly from: number;
  readonly to: number;
  /** Between two points. */
  readonly step: number;
}

const Point = z.tuple([z.number(), z.string()]);
const Answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .object({
      result: z.array(
        z.object({
          metric: z.record(z.string(), z.string()),
          value: Point.optional(),
          values: z.array(Point).optional(),
        }),
      ),
    })
    .optional(),
});

/** Runs a panel's query as Grafana does. Throws where Prometheus does not take it, with its words. */
export async function queryRange(url: string, expr: string, { from, to, step }: TimeRange): Promise<Series[]> {
  return await query(`${url}/api/v1/query_range`, { query: expr, start: `${from}`, end: `${to}`, step: `${step}` });
}

export async function queryInstant(url: string, expr: string, at: number): Promise<Series[]> {
  return await query(`${url}/api/v1/query`, { query: expr, time: `${at}` });
}

async function query(url: string, parameters: Record<string, string>): Promise<Series[]> {
  const reply = await fetch(`${url}?${new URLSearchParams(parameters).toString()}`);
  const { status, error, data } = Answer.parse(await reply.json());
  if (status !== "success") throw new Error(`${error ?? status}\n${parameters["query"]}`);
  return (data?.result ?? []).map(({ metric, value, values }) => ({
    labels: metric,
    points: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)] as const),
  }));
}

/** Grafana's variables filled in: all of everything. */
export function fillIn(expr: string, range: string, rateInterval: string): string {
  return expr
    .replaceAll(/\$__range\b/g, range)
    .replaceAll(/\$__rate_interval\b/g, rateInterval)
    .replaceAll(/\$(provider|operation|instance)\b/g, ".*");
}
