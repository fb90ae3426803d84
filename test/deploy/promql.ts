import { parser } from "@prometheus-io/lezer-promql";

/** What one query reads. */
export interface QueryParts {
  readonly metrics: readonly string[];
  /** Labels that select, group, match or aggregate. */
  readonly labels: readonly string[];
  /** `label=value` of the exact matchers. */
  readonly exact: readonly { readonly label: string; readonly value: string }[];
  /** The labels of the outermost `by (…)`: those the result has. */
  readonly resultLabels: readonly string[];
}

/** Reads PromQL with Prometheus' own grammar. Throws where it is none, naming the place. */
export function parsePromql(query: string): QueryParts {
  const metrics = new Set<string>();
  const labels = new Set<string>();
  const exact: { label: string; value: string }[] = [];
  let resultLabels: string[] | undefined;
  let label = "";
  let operator = "";
  let grouping: string[] = [];
  parser.parse(query).iterate({
    enter: ({ type, from, to }) => {
      const text = query.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${from} ("${query.slice(from, from + 20)}"): ${query}`);
      switch (type.name) {
        case "Identifier":
          metrics.add(text);
          break;
        case "GroupingLabels":
          grouping = [];
          break;
        case "LabelName":
          label = text;
          labels.add(text);
          grouping.push(text);
          break;
        case "MatchOp":
          operator = text;
          break;
        case "StringLiteral":
          if (operator === "=") exact.push({ label, value: text.slice(1, -1) });
          operator = ""; // a string without one is a function's
          break;
      }
    },
    leave: ({ type }) => {
      if (type.name === "AggregateModifier") resultLabels ??= [...grouping];
    },
  });
  return { metrics: [...metrics], labels: [...labels], exact, resultLabels: resultLabels ?? [] };
}
